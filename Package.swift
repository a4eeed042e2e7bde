// swift-tools-version: 6.2
// The host: one target per duty (docs/architecture.md lists them in reading order).
// Bundle authors need none of this; their package is sdk/.
import PackageDescription

/// Access levels of imports are written out, so that what a module leaks is visible in review.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let json = Target.Dependency.product(name: "TaskhostJSON", package: "sdk")
let sdk = Target.Dependency.product(name: "TaskhostSDK", package: "sdk")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")

let package = Package(
    name: "taskhost",
    products: [
        .executable(name: "taskhost", targets: ["taskhost"]),
        // For Swift programs that send tasks.
        .library(name: "TaskhostClient", targets: ["TaskhostClient"]),
    ],
    dependencies: [
        .package(path: "sdk"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // C: layouts and 1:1 wrappers only.
        .target(name: "CRunnerProtocol"),
        .target(name: "CLinux"),
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlienc", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CMsgpack", pkgConfig: "msgpack", providers: [.apt(["libmsgpack-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CSigning", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CHTTP", linkerSettings: [.linkedLibrary("curl")]),

        // Values and rules, no I/O.
        .target(name: "TaskModel", swiftSettings: strict),
        .target(name: "CeleryWire", dependencies: ["TaskModel", json], swiftSettings: strict),
        .target(name: "Ports", dependencies: ["TaskModel"], swiftSettings: strict),
        // When tasks are due; who sends them.
        .target(name: "Beat", dependencies: ["TaskModel", "Ports", json], swiftSettings: strict),
        .target(name: "GroupJoin", dependencies: ["Ports", "TaskModel", json], swiftSettings: strict),

        // Signatures: chains, groups, chords.
        .target(name: "Canvas", dependencies: ["TaskModel", "CeleryWire", json], swiftSettings: strict),

        // Adapters: one outside system each.
        .target(name: "Loop", dependencies: ["CLinux", "Ports", "TaskModel"], swiftSettings: strict),
        .target(name: "RabbitMQ", dependencies: ["CRabbitMQ", "CLinux", "Ports", "TaskModel"], swiftSettings: strict),
        .target(
            name: "Redis", dependencies: ["CHiredis", "COpenSSL", "GroupJoin", "Ports", "TaskModel", json],
            swiftSettings: strict),
        .target(
            name: "SQLite",
            dependencies: [
                "CLinux", "GroupJoin", "Ports", "TaskModel", json, .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(name: "LocalSocket", dependencies: ["CLinux", "Ports", "TaskModel", json], swiftSettings: strict),
        .target(
            name: "Runner", dependencies: ["CRunnerProtocol", "CLinux", "Ports", "TaskModel", json],
            swiftSettings: strict),

        .target(name: "Control", dependencies: ["TaskModel", "CeleryWire", "Ports", json], swiftSettings: strict),

        .target(name: "Observability", dependencies: ["Ports", "TaskModel", metrics], swiftSettings: strict),

        // What the operator wants to be told: commands, HTTP, tasks.
        .target(
            name: "Hooks",
            dependencies: ["Ports", "TaskModel", "CeleryWire", "Canvas", "CLinux", "CHTTP", "CSigning", json],
            swiftSettings: strict),

        // Spans of runs, to an OpenTelemetry collector.
        .target(
            name: "Traces", dependencies: ["TaskModel", "CeleryWire", "Ports", "CHTTP", json], swiftSettings: strict),

        .target(
            name: "WireFormats",
            dependencies: [
                "CeleryWire", "Ports", "TaskModel", json, "CZlib", "CBzip2", "CLzma", "CZstd", "CBrotli", "CMsgpack",
                "CYAML", "CSigning",
            ],
            swiftSettings: strict),

        // The engine and what stands on it.
        .target(
            name: "Engine", dependencies: ["TaskModel", "CeleryWire", "Canvas", "GroupJoin", "Ports", json, logging],
            swiftSettings: strict),
        .target(
            name: "Client", dependencies: ["TaskModel", "CeleryWire", "Canvas", "Ports", json], swiftSettings: strict),
        .target(
            name: "TaskhostClient",
            dependencies: [
                "TaskModel", "CeleryWire", "Canvas", "Ports", "Loop", "RabbitMQ", "Redis", "SQLite", "Client", json,
                sdk,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "taskhost",
            dependencies: [
                "TaskModel", "CeleryWire", "Control", "Ports", "Loop", "RabbitMQ", "Redis", "SQLite", "LocalSocket",
                "Runner", "Engine", "Client", "Canvas", "Beat", "CLinux", "CHTTP", "WireFormats", "Observability",
                "Hooks", "Traces", json, logging, metrics,
                .product(name: "ArgumentParser", package: "swift-argument-parser"), "TOMLKit",
            ],
            swiftSettings: strict),

        .testTarget(
            name: "WireFormatsTests", dependencies: ["WireFormats", "CeleryWire", "Ports", "TaskModel", json],
            exclude: ["Fixtures"]),
        .testTarget(name: "LocalSocketTests", dependencies: ["LocalSocket", "Loop", "Ports", "TaskModel", json]),
        .testTarget(name: "BeatTests", dependencies: ["Beat", "CeleryWire", "Ports", "TaskModel", json]),
        .testTarget(name: "LoopTests", dependencies: ["Loop", "Ports", "CLinux"]),
        .testTarget(name: "CeleryWireTests", dependencies: ["CeleryWire", "TaskModel", json], exclude: ["Fixtures"]),
        .testTarget(
            name: "CanvasTests", dependencies: ["Canvas", "TaskModel", "CeleryWire", json], exclude: ["Fixtures"]),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "Canvas", "TaskModel", "CeleryWire", "Ports", json]),
        .testTarget(
            name: "RunnerTests",
            dependencies: ["Runner", "Loop", "Ports", "TaskModel", "CLinux", "CRunnerProtocol"]),
        .testTarget(
            name: "ControlTests", dependencies: ["Control", "CeleryWire", "Ports", "TaskModel", json],
            exclude: ["Fixtures"]),
        .testTarget(name: "HooksTests", dependencies: ["Hooks", "Ports", "TaskModel", json]),
        .testTarget(name: "TracesTests", dependencies: ["Traces", "Ports", "TaskModel", json]),
        .testTarget(name: "ObservabilityTests", dependencies: ["Observability", "Ports", "TaskModel", metrics]),
        .testTarget(name: "RabbitMQTests", dependencies: ["RabbitMQ", "Loop", "Ports", "TaskModel"]),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "RabbitMQ", "Redis", "SQLite", "Loop", "Ports", "TaskModel", json,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(name: "TaskhostClientTests", dependencies: ["TaskhostClient", sdk], exclude: ["tour"]),
        .testTarget(
            name: "TaskhostTests",
            dependencies: ["taskhost", "Canvas", "Engine", "TaskModel", "CeleryWire", "Ports", "Loop", json]),
    ]
)
