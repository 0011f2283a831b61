# One image for every process of Quire; what it runs is the command: `run api`, `run worker order`, `migrate` ...
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS wheels
WORKDIR /build
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends binutils >/dev/null
COPY requirements.txt ./
# The lock is complete and hashed, so nothing is resolved here, and nothing without a wheel is built.
# A package index of one's own comes as the secret `pip_conf`; it stays in no layer.
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=pip_conf,target=/etc/pip.conf,required=false \
    python -m venv --without-pip /opt/quire \
 && python -m pip --disable-pip-version-check --python /opt/quire/bin/python install \
      --no-deps --no-compile --require-hashes --only-binary :all: --requirement requirements.txt \
 && find /opt/quire \( -name tests -o -name test -o -name '*.pyi' \) -prune -exec rm -rf {} + \
 && find /opt/quire -name '*.so' -size +100k -exec strip --strip-debug {} + \
 && /opt/quire/bin/python -m compileall -q -j 0 /opt/quire/lib

FROM python:${PYTHON}-slim AS code
WORKDIR /app
COPY pyproject.toml ./
COPY domain domain
COPY telemetry telemetry
COPY store store
COPY bus bus
COPY gateways gateways
COPY streams streams
COPY api api
COPY migrations migrations
COPY stack stack
COPY bench bench
COPY cli cli
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM python:${PYTHON}-slim
# Who may mount a directory of /run/quire may read it: the user of Postgres is not ours.
RUN groupadd --system --gid 10001 quire \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/quire --shell /usr/sbin/nologin quire \
 && install -d -o quire -g quire -m 0750 /var/lib/quire \
 && install -d -o quire -g quire -m 0755 /run/quire/app /run/quire/owner /run/quire/tls /run/quire/kafka
COPY --from=wheels /opt/quire /opt/quire
COPY --from=code /app /app
ENV PATH=/opt/quire/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    QUIRE_STATE_DIR=/var/lib/quire \
    QUIRE_READY_FILE=/tmp/ready
WORKDIR /var/lib/quire
USER 10001:10001
# Every process touches its ready file with each turn; who serves HTTP is better asked there.
HEALTHCHECK --interval=15s --timeout=10s --start-period=180s --start-interval=2s --retries=3 \
    CMD ["python", "-S", "-m", "cli.health"]
ENTRYPOINT ["python", "-m", "cli.main"]
CMD ["--help"]
# Last, since they change with each commit and what stands behind a change is built again.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Quire" \
      org.opencontainers.image.description="An order system for an online bookstore: every order a chain of facts." \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
