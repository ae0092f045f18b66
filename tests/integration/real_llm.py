"""A real LLM server on loopback: llama.cpp's own HTTP server with a tiny model of random weights, from a folder with the
scripts that make and serve it (TOKENRAIL_TEST_REAL_LLM, else ../shared/real-llm beside the source tree). Its Python packages
are installed once into a virtual environment in the development folder's cache."""

import os
import pathlib
import subprocess
import sys

from stack import Process, free_port, http_get, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ("gguf", "xllamacpp", "numpy")


def folder():
    named = os.environ.get("TOKENRAIL_TEST_REAL_LLM")
    return pathlib.Path(named) if named else ROOT.parent / "shared" / "real-llm"


def environment():
    """The interpreter of the virtual environment, made where it is missing."""
    home = ROOT / ".dev" / "cache" / "real-llm"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", "install", *PACKAGES], check=True,
                       timeout=600)
        (home / "ready").write_text("")
    return python


class RealLlm:
    """One server; `url` is its address without a path."""

    def __init__(self, work):
        python = environment()
        model = pathlib.Path(work) / "tiny.gguf"
        subprocess.run([python, folder() / "make_tiny_gguf.py", model], check=True, timeout=60, stdout=subprocess.DEVNULL)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = Process(work, "real-llm", [python, folder() / "llama_serve.py", model, str(self.port), "tiny"], {})
        wait_until("the LLM server is healthy", lambda: http_get(self.url + "/health")[0] == 200)

    def busy_slots(self):
        import json
        return sum(1 for slot in json.loads(http_get(self.url + "/slots")[1]) if slot.get("is_processing"))

    def stop(self):
        self.process.kill()
