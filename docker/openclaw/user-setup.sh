#!/bin/sh
# Your additions to the gateway's image: runs once as root while the image is built, after OpenClaw is installed.
# Small things (Debian packages, Chromium) need no change here: EXTRA_APT_PACKAGES and INSTALL_CHROMIUM in .env.
#
#   npm install --global some-tool@1.2.3
#   su node -c 'openclaw plugins install @openclaw/some-plugin'
set -eu
