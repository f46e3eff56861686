"""Speaking to registries: whether a push will be taken, what is there, and setting tags.

The protocol is https://github.com/opencontainers/distribution-spec/blob/main/spec.md with the token
flow of https://distribution.github.io/distribution/spec/auth/token/. Docker's clients hide the
words of a refusal, and cannot set a tag without a build, so both are done here.
"""
