# Three images: `web` (the site, without PyTorch and numpy), `worker` (the same and PyTorch) and
# `proxy`. Dependencies come first, so that a change of the source installs nothing again.

FROM node:22-bookworm-slim AS vendor
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY tools/vendor.mjs tools/
COPY static/js/smaller.js static/js/smaller.js
COPY static/js/editor static/js/editor
RUN node tools/vendor.mjs && mv static/vendor /vendor


FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HOME=/tmp DJANGO_SETTINGS_MODULE=config.settings CONVOLAB_PRODUCTION=1 \
    CONVOLAB_VAR=/srv/convolab CONVOLAB_STATIC=/opt/static
# A new volume takes its owner from the folder that it is mounted on: 10001 writes these three.
RUN groupadd --gid 10001 convolab \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home convolab \
    && install -d -o 10001 -g 10001 \
        /srv/convolab/files /srv/convolab/data /srv/convolab/static
WORKDIR /app


FROM base AS requirements
COPY pyproject.toml ./
RUN python -c "import tomllib; all = tomllib.load(open('pyproject.toml', 'rb')); p = all['project']; \
    write = lambda name, lines: open(name, 'w').write('\n'.join(lines)); \
    write('/web.txt', all['build-system']['requires'] + p['dependencies']); \
    write('/worker.txt', p['optional-dependencies']['worker'])"


# Empty unless the operator has an index or a folder of wheels of their own. pip's index carries
# PyTorch with CUDA, which also runs without a GPU: an index with its CPU build spares 3 GB.
FROM base AS web-packages
ARG PIP_INDEX_URL="" PIP_EXTRA_INDEX_URL="" PIP_FIND_LINKS=""
COPY constraints.txt /
COPY --from=requirements /web.txt /
RUN pip install -c /constraints.txt -r /web.txt


FROM web-packages AS worker-packages
ARG PIP_INDEX_URL="" PIP_EXTRA_INDEX_URL="" PIP_FIND_LINKS=""
COPY --from=requirements /worker.txt /
RUN pip install -c /constraints.txt -r /worker.txt


FROM web-packages AS web
COPY . .
COPY --from=vendor /vendor static/vendor
RUN pip install --no-deps --no-build-isolation -e . \
    && CONVOLAB_HOSTS=build CONVOLAB_SECRET_KEY=$(python -c "import secrets; print(secrets.token_hex(32))") \
        python manage.py collectstatic --noinput --verbosity 0
USER 10001:10001
CMD ["uvicorn", "config.asgi:application", "--app-dir", "platform", "--host", "0.0.0.0", \
    "--port", "8000", "--no-server-header", "--no-proxy-headers", \
    "--http", "config.protocol:Protocol", \
    "--timeout-graceful-shutdown", "5"]


FROM worker-packages AS worker
COPY . .
RUN pip install --no-deps --no-build-isolation -e .
USER 10001:10001


FROM caddy:2.10.2-alpine AS proxy
RUN chown -R 10001:10001 /data /config
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 10001:10001
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
