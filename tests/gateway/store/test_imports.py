"""Whoever only reads records loads no web framework and no model library."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import pkgutil, sys
import gateway.store as store
for module in pkgutil.walk_packages(store.__path__, 'gateway.store.'):
    if '.migrations.' not in module.name:
        __import__(module.name)
foreign = {'fastapi', 'starlette', 'uvicorn', 'aiohttp', 'prometheus_client', 'guardrails', 'torch', 'vllm'}
print(sorted(foreign & {name.partition('.')[0] for name in sys.modules}))
"""


def test_the_store_loads_no_web() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
