# docker build -t landlord .
# Both stages from one image; any with Node 22.19 or newer and npm will do. For a release, name it by digest:
#   --build-arg NODE_IMAGE=node:24-slim@sha256:…
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Nobody's install script runs, the pinned Node's neither: the image has its own.
RUN npm ci --ignore-scripts
COPY dev/build.ts dev/
COPY src src
RUN node dev/build.ts

FROM ${NODE_IMAGE}
WORKDIR /landlord
COPY LICENSE ./
COPY crds crds
COPY --from=build /build/dist dist
# A number, so that Kubernetes' runAsNonRoot can tell; the image's own user `node`.
USER 1000
# Half the memory with 1,000 tenants (docs/performance.md).
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=30", "--v8-pool-size=1", "--no-maglev", "/landlord/dist/main.js"]
CMD ["run", "--config", "/etc/landlord/landlord.yaml"]
