#!/usr/bin/env bash
# Installs the programs that the end-to-end tests drive, where the system lets us.
set -u
PATH=$PATH:/usr/sbin:/usr/local/sbin
programs=(mbsync:isync swaks:swaks msmtp:msmtp neomutt:neomutt curl:curl offlineimap:offlineimap3
  getmail:getmail6 fetchmail:fetchmail dovecot:dovecot-imapd
  litmus:litmus rclone:rclone cadaver:cadaver mount.davfs:davfs2 fusermount3:fuse3
  dbus-run-session:dbus-daemon thunderbird:thunderbird)
missing=()
for pair in "${programs[@]}"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
# swaks speaks TLS only with this module.
perl -MNet::SSLeay -e 1 2>/dev/null || missing+=(libnet-ssleay-perl)
# A slow disk is a library that is loaded before the server's.
cc -E -include stdio.h - </dev/null >/dev/null 2>&1 || missing+=(gcc libc6-dev)
# What administrators of Debian use, with pg_trgm; the tests make clusters of their own.
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  missing+=(postgresql)
  mkdir -p /etc/postgresql-common 2>/dev/null && \
    echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf
fi
# Dovecot takes mail in by LMTP in the benchmark.
[ -x /usr/lib/dovecot/lmtp ] || missing+=(dovecot-lmtpd)
# Evolution's data server, and what the system's Python needs to speak with it.
/usr/bin/python3 -c 'import gi; gi.require_version("EBook", "1.2"); gi.require_version("ECal", "2.0")' \
  2>/dev/null || missing+=(python3-gi gir1.2-ebook-1.2 gir1.2-ecal-2.0 gir1.2-edataserver-1.2)
[ -x /usr/libexec/evolution-source-registry ] || missing+=(evolution-data-server)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
for pair in "${programs[@]}"; do
  if ! command -v "${pair%%:*}" >/dev/null; then
    echo "*** ${pair%%:*} is not here and could not be installed (package ${pair##*:}):" >&2
    echo "*** its end-to-end test will fail." >&2
  fi
done
exit 0
