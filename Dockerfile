# proxyproof and the proxies that Debian has. `docker build -t proxyproof .`, then `docker run --rm proxyproof run nginx`.
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo build --profile release-lto --locked

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx-light haproxy caddy apache2 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/target/release-lto/proxyproof /usr/local/bin/proxyproof
ENTRYPOINT ["proxyproof"]
CMD ["run"]
