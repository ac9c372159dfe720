# Debian's Redis in the place of the official image: same user and folder.
FROM python:3.11-slim-bookworm
RUN groupadd --gid 999 redis && useradd --uid 999 --gid 999 --home-dir /data redis \
    && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null \
    && install -d -o 999 -g 999 /data
