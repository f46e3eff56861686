"""Running commands on a host, without a deploy."""
