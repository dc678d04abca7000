# Everything that needs CUDA: vLLM, and training beside the same torch. Built from the repository root with
#   docker build --file deploy/vllm.Dockerfile .
# The version is the one that pyproject.toml's extra engine-cuda names; a test compares them.
FROM vllm/vllm-openai:v0.32.0
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY guardrails guardrails
COPY gateway gateway
COPY training training
# vLLM and torch are the base's own and stay as they are: the extra asks for what is already there.
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt ".[engine-cuda,training]" && \
    groupadd --gid 10001 wardgate && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/vllm --shell /usr/sbin/nologin wardgate && \
    install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/vllm /var/lib/wardgate/adapters /adapters
ENV HOME=/var/lib/vllm \
    HF_HOME=/var/lib/vllm/huggingface \
    VLLM_CACHE_ROOT=/var/lib/vllm/cache \
    VLLM_NO_USAGE_STATS=1 \
    VLLM_ALLOW_RUNTIME_LORA_UPDATING=True
WORKDIR /var/lib/vllm
USER 10001:10001
VOLUME ["/var/lib/vllm"]
EXPOSE 8001
# A large checkpoint takes minutes to load; only after that does a missing answer mean that something is wrong.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m --retries=3 \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8001/health', timeout=4)"]
ENTRYPOINT ["vllm", "serve"]
