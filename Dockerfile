# The gateway, without torch: guardrails, gateway and what they need. Built from the repository root.
# The Python is the one that the test suite runs on.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY guardrails guardrails
COPY gateway gateway
COPY training training
RUN python -m venv /opt/wardgate && \
    /opt/wardgate/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 wardgate && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/wardgate --shell /usr/sbin/nologin wardgate && \
    install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/wardgate /var/lib/wardgate/adapters /adapters
COPY --from=build /opt/wardgate /opt/wardgate
ENV PATH=/opt/wardgate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WARDGATE_HOME=/var/lib/wardgate \
    WARDGATE_HOST=0.0.0.0 \
    WARDGATE_PORT=8000
WORKDIR /var/lib/wardgate
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME ["/var/lib/wardgate"]
EXPOSE 8000
# Live, not ready: while vLLM loads its model the gateway is well, and says so with 503 and Retry-After.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['WARDGATE_PORT'] + '/health/live', timeout=2)"]
ENTRYPOINT ["wardgate"]
CMD ["serve"]
