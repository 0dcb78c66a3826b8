#!/usr/bin/env bash
# Installs Debian's Chromium where there is none, for `npm run test:browser`: only as root, and only with apt-get. Elsewhere the tests say what is missing.
set -euo pipefail
[ -n "${CHROME_BIN:-}" ] && exit 0
for name in chromium chromium-browser google-chrome-stable google-chrome; do
  command -v "$name" > /dev/null && exit 0
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo 'no Chromium here, and no way to install one without being root on a system with apt-get' >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium > /dev/null
