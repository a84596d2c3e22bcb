#!/bin/sh
# Make or renew the Python environment in the folder $1, unless pyproject.toml is as it was the last time.
set -eu
venv=$1
python=${PYTHON:-python3}
state=$(cksum < pyproject.toml)
[ -f "$venv/ready" ] && [ "$(cat "$venv/ready")" = "$state" ] && exit 0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "needs Python 3.11 or newer: $python is older; name another with PYTHON=..." >&2
    exit 1
}
if command -v uv > /dev/null; then
    [ -x "$venv/bin/python" ] || uv venv -q --python "$python" "$venv"
    uv pip install -q --compile-bytecode --python "$venv/bin/python" -e '.[dev]'
else
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || {
        echo "needs the venv module: apt-get install -y python3-venv" >&2
        exit 1
    }
    # uv installs in a fifth of pip's time; where it cannot be had, pip does it.
    if "$venv/bin/python" -m pip install -q --disable-pip-version-check uv; then
        "$venv/bin/python" -m uv pip install -q --compile-bytecode --python "$venv/bin/python" -e '.[dev]'
    else
        "$venv/bin/python" -m pip install -q --disable-pip-version-check -e '.[dev]'
    fi
fi
echo "$state" > "$venv/ready"
