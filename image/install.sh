#!/bin/sh
# Install the operator into a folder that an image copies: lib (modules) and bin (commands).
#
#   image/install.sh TARGET [PYTHON [WHEEL]]
#
# Beside them lies the bill of materials (CycloneDX): TARGET/sbom.cdx.json.
#
# Containerfile runs it in its build stage, the end-to-end tests run it on the machine. What comes
# from PyPI is named by hash in requirements.lock; the operator itself is built from this tree.
# PYTHON (default python3) must have the release and machine of the image's own /usr/bin/python3,
# as some wheels are compiled for them. WHEEL is an operator that was built before, such as that of
# another release.
set -eu

target=$1
python=${2:-python3}
wheel=${3:-}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

pip() {
    "$python" -m pip --disable-pip-version-check --no-input "$@"
}

rm -rf "$target"
mkdir -p "$target"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pip install --quiet --no-compile --only-binary :all: --require-hashes \
    --target "$target/lib" --requirement "$here/requirements.lock"
if [ -n "$wheel" ]; then
    cp "$wheel" "$scratch"
else
    pip wheel --quiet --no-deps --wheel-dir "$scratch" "$here/.."
fi
pip install --quiet --no-compile --no-deps --no-index --upgrade \
    --target "$target/lib" "$scratch"/*.whl

cp "$here/sbom.cdx.json" "$target/sbom.cdx.json"

# Commands start the image's Python, not the one that installed them.
mv "$target/lib/bin" "$target/bin"
for command in "$target"/bin/*; do
    sed -i '1s|^#!.*|#!/usr/bin/python3|' "$command"
done
"$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$target" -p /app "$target/lib"
