# The service as one image. Not built where it was written (no container engine there): checked by
# tests/architecture/test_dockerfile.py only. A deployer behind a mirror sets the engine's mirror;
# no host is named here.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 XDG_CACHE_HOME=/srv/cache
WORKDIR /srv/eseal
COPY requirements/runtime.txt requirements/
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
# Fonts come from the distribution's packages, are checked by digest and converted once.
COPY scripts/setup-fonts scripts/setup_fonts.py scripts/convert_outlines.py scripts/fonts.toml scripts/
RUN scripts/setup-fonts

FROM python:3.11-slim-bookworm
# SM2 needs the distribution's libcrypto 3; the base image brings it, this keeps it there.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libssl3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/eseal --shell /usr/sbin/nologin eseal \
    && chmod 0700 /var/lib/eseal
COPY --from=build /srv /srv
WORKDIR /srv/eseal
COPY templates templates
COPY keys keys
COPY seal_service seal_service
COPY licence_store licence_store
COPY verifier verifier
COPY eseal eseal
ENV PATH=/srv/eseal/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ESEAL_DATA_FOLDER=/var/lib/eseal/data \
    ESEAL_HOST=0.0.0.0
USER 10001:10001
VOLUME ["/var/lib/eseal"]
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "eseal"]
CMD ["serve"]
