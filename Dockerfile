# Builds and runs Tidegate. `docker build -t tidegate .`
#
# docker run --rm -p 127.0.0.1:8080:8080 -v tidegate:/data tidegate
# docker exec <container> tidegate status

FROM rust:1-slim-bookworm AS build
# SQLite is compiled into the program, which takes a C compiler.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Only what the build needs: no data folder and no target folder gets into a layer.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates crates
COPY console/dist console/dist
RUN cargo build --release --locked --package tidegate

FROM debian:bookworm-slim
RUN groupadd --gid 10001 tidegate \
    && useradd --uid 10001 --gid tidegate --home-dir /data --no-create-home --shell /usr/sbin/nologin tidegate \
    && install --directory --owner tidegate --group tidegate --mode 0700 /data
COPY --from=build /src/target/release/tidegate /usr/local/bin/tidegate
USER tidegate
WORKDIR /data
VOLUME /data
# The API is reachable from outside the container; admin, health and metrics only from inside.
# A server with live tenants refuses to start like this without TIDEGATE_ALLOW_PLAIN_LISTENER=true:
# put a TLS proxy in front first.
ENV TIDEGATE_DATA_DIR=/data \
    TIDEGATE_LISTEN=0.0.0.0:8080 \
    TIDEGATE_ADMIN_LISTEN=127.0.0.1:8081
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["tidegate", "status"]
ENTRYPOINT ["tidegate"]
CMD ["serve"]
