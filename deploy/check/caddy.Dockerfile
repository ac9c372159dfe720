# Debian's Caddy in the place of the official image, with the capability that its binary carries.
FROM python:3.11-slim-bookworm AS proxy
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends caddy wget libcap2-bin >/dev/null \
    && setcap cap_net_bind_service=+ep /usr/bin/caddy \
    && install -d -o 10001 -g 10001 /data /config
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 10001:10001
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
