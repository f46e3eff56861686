#!/bin/sh
# A node: containerd and a kubelet that see their own mounts and processes. All of it ends with the
# process that holds the namespaces, and nothing of the machine's /run, /var or sysctls is touched.
# node.sh FOLDER KUBERNETES ENGINE NAME IP
set -eu
folder=$1 kubernetes=$2 engine=$3 name=$4 ip=$5

for each in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$each"; done
# Names that nobody knows are asked of nobody.
mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf
mount --bind "$folder/hosts" /etc/hosts
# What the kubelet would set for the whole machine, it finds set.
for each in vm/overcommit_memory kernel/panic kernel/panic_on_oops; do
  mount --bind "$folder/sysctl/${each#*/}" "/proc/sys/$each"
done

export PATH="$engine:$PATH"
rm -f "$folder/containerd.sock"
"$engine/containerd" --config "$folder/containerd.toml" >>"$folder/containerd.log" 2>&1 &
until [ -S "$folder/containerd.sock" ]; do sleep 0.05; done
"$kubernetes/kubelet" --config="$folder/kubelet.yaml" --kubeconfig="$folder/kubeconfig" \
  --hostname-override="$name" --node-ip="$ip" --root-dir="$folder/kubelet" \
  >>"$folder/kubelet.log" 2>&1
