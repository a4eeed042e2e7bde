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
let signature = Target.Dependency.product(name: "TaskhostSignature", package: "sdk")
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
    ],
    targets: [
        // C: layouts and 1:1 wrappers only.
        .target(name: "CRunnerProtocol", path: "Sources/Runner/CRunnerProtocol"),
        .target(name: "CLinux", path: "Sources/C/CLinux"),
        .systemLibrary(
            name: "CRabbitMQ", path: "Sources/C/CRabbitMQ", pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(
            name: "CHiredis", path: "Sources/C/CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(
            name: "CSQLite", path: "Sources/C/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        // Opened at use: only their headers are needed.
        .target(name: "CLibrary", path: "Sources/C/CLibrary"),
        .target(name: "CPostgreSQL", dependencies: ["CLibrary"], path: "Sources/C/CPostgreSQL"),
        .target(name: "CMariaDB", dependencies: ["CLibrary"], path: "Sources/C/CMariaDB"),
        .target(name: "CMongo", dependencies: ["CLibrary"], path: "Sources/C/CMongo"),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/C/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/C/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBzip2", path: "Sources/C/CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(
            name: "CLzma", path: "Sources/C/CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(
            name: "CZstd", path: "Sources/C/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CBrotli", path: "Sources/C/CBrotli", pkgConfig: "libbrotlienc", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(
            name: "CMsgpack", path: "Sources/C/CMsgpack", pkgConfig: "msgpack", providers: [.apt(["libmsgpack-dev"])]),
        .systemLibrary(
            name: "CYAML", path: "Sources/C/CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CPCRE2", path: "Sources/C/CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "CTOML", path: "Sources/C/CTOML"),
        .target(name: "CHTTP", dependencies: ["CLibrary"], path: "Sources/C/CHTTP"),

        // Files, variables, conditions: what the program needs of the system. No target imports Foundation.
        .target(name: "Linux", dependencies: ["CLinux"], path: "Sources/Systems/Linux", swiftSettings: strict),

        // Values and rules, no I/O.
        .target(name: "TaskModel", path: "Sources/Core/TaskModel", swiftSettings: strict),
        .target(
            name: "CeleryWire", dependencies: ["TaskModel", json], path: "Sources/Core/CeleryWire",
            swiftSettings: strict),
        .target(name: "Ports", dependencies: ["TaskModel"], path: "Sources/Core/Ports", swiftSettings: strict),
        // When tasks are due; who sends them.
        .target(
            name: "Beat", dependencies: ["Linux", "TaskModel", "Ports", json], path: "Sources/Core/Beat",
            swiftSettings: strict),
        .target(
            name: "GroupJoin", dependencies: ["Ports", "TaskModel", json], path: "Sources/Core/GroupJoin",
            swiftSettings: strict),

        // Signatures: chains, groups, chords.
        .target(
            name: "Canvas", dependencies: ["TaskModel", "CeleryWire", json], path: "Sources/Core/Canvas",
            swiftSettings: strict),

        // The consumer of brokers that are asked for messages.
        .target(
            name: "PullConsumer", dependencies: ["TaskModel"], path: "Sources/Core/PullConsumer", swiftSettings: strict),

        // Adapters: one outside system each.
        .target(
            name: "Loop", dependencies: ["CLinux", "Ports", "TaskModel"], path: "Sources/Systems/Loop",
            swiftSettings: strict),
        .target(
            name: "RabbitMQ", dependencies: ["CRabbitMQ", "CLinux", "Ports", "TaskModel", json],
            path: "Sources/Systems/RabbitMQ", swiftSettings: strict),
        .target(
            name: "Redis",
            dependencies: ["CHiredis", "COpenSSL", "GroupJoin", "Ports", "PullConsumer", "TaskModel", json],
            path: "Sources/Systems/Redis",
            swiftSettings: strict),
        .target(
            name: "SQLite",
            dependencies: [
                "CLinux", "CSQLite", "GroupJoin", "Linux", "Ports", "PullConsumer", "SQLRows", "TaskModel", json,
            ],
            path: "Sources/Systems/SQLite",
            swiftSettings: strict),
        // Results in databases, in batches; Celery's tables of them and the columns of messages.
        .target(
            name: "SQLRows", dependencies: ["CeleryWire", "Ports", "TaskModel", json], path: "Sources/Core/SQLRows",
            swiftSettings: strict),
        .target(
            name: "PostgreSQL", dependencies: ["CPostgreSQL", "Ports", "PullConsumer", "SQLRows", "TaskModel"],
            path: "Sources/Systems/PostgreSQL", swiftSettings: strict),
        .target(
            name: "MySQL", dependencies: ["CMariaDB", "CeleryWire", "Ports", "SQLRows", "TaskModel"],
            path: "Sources/Systems/MySQL", swiftSettings: strict),
        .target(
            name: "Memcached", dependencies: ["GroupJoin", "Ports", "TaskModel"], path: "Sources/Systems/Memcached",
            swiftSettings: strict),
        .target(
            name: "MongoDB",
            dependencies: ["CMongo", "CeleryWire", "Linux", "Ports", "SQLRows", "TaskModel", json],
            path: "Sources/Systems/MongoDB", swiftSettings: strict),
        // All outside systems there are.
        .target(
            name: "Transports",
            dependencies: [
                "Memcached", "MongoDB", "MySQL", "Ports", "PostgreSQL", "RabbitMQ", "Redis", "SQLite", "TaskModel",
            ],
            path: "Sources/Systems/Transports",
            swiftSettings: strict),
        .target(
            name: "LocalSocket", dependencies: ["CLinux", "Linux", "Ports", "TaskModel", json],
            path: "Sources/Systems/LocalSocket", swiftSettings: strict),
        .target(
            name: "Runner", dependencies: ["CRunnerProtocol", "CLinux", "Ports", "TaskModel", json],
            path: "Sources/Runner/Runner",
            swiftSettings: strict),

        .target(
            name: "Control", dependencies: ["TaskModel", "CeleryWire", "Ports", "CPCRE2", json],
            path: "Sources/Core/Control", swiftSettings: strict),

        .target(
            name: "Observability", dependencies: ["Ports", "TaskModel", metrics],
            path: "Sources/Services/Observability", swiftSettings: strict),

        // What the operator wants to be told: commands, HTTP, tasks.
        .target(
            name: "Hooks",
            dependencies: ["Ports", "TaskModel", "CeleryWire", "Canvas", "CLinux", "CHTTP", "COpenSSL", json],
            path: "Sources/Services/Hooks",
            swiftSettings: strict),

        // Spans of runs, to an OpenTelemetry collector.
        .target(
            name: "Traces", dependencies: ["TaskModel", "CeleryWire", "CLinux", "Ports", "CHTTP", json],
            path: "Sources/Services/Traces",
            swiftSettings: strict),

        .target(
            name: "WireFormats",
            dependencies: [
                "CeleryWire", "Ports", "TaskModel", json, "CZlib", "CBzip2", "CLzma", "CZstd", "CBrotli", "CMsgpack",
                "CYAML", "COpenSSL",
            ], path: "Sources/Systems/WireFormats",
            swiftSettings: strict),

        // The engine and what stands on it.
        .target(
            name: "Engine", dependencies: ["TaskModel", "CeleryWire", "Canvas", "GroupJoin", "Ports", json, logging],
            path: "Sources/Core/Engine",
            swiftSettings: strict),
        .target(
            name: "Client", dependencies: ["TaskModel", "CeleryWire", "Canvas", "Ports", json],
            path: "Sources/Client/Client", swiftSettings: strict),
        .target(
            name: "TaskhostClient",
            dependencies: [
                "TaskModel", "CeleryWire", "Canvas", "Ports", "Loop", "Transports", "Client", json, signature, sdk,
            ], path: "Sources/Client/TaskhostClient",
            swiftSettings: strict),
        // What can be set: files, variables, defaults and what is said of them.
        .target(
            name: "Settings", dependencies: ["TaskModel", "CeleryWire", "Beat", "CTOML", "Linux", logging],
            path: "Sources/App/Settings",
            swiftSettings: strict),
        // What people and programs read of this one: failures, exit statuses, tables, the log.
        .target(
            name: "Output", dependencies: ["Linux", "TaskModel", "CeleryWire", "Ports", "Settings", json, logging],
            path: "Sources/App/Output",
            swiftSettings: strict),
        // A Celery app of Python's: where its interpreter is, and its settings as ours.
        .target(
            name: "PythonApp", dependencies: ["Linux", "TaskModel", "Settings", "Output", json],
            path: "Sources/App/PythonApp", swiftSettings: strict),
        // What was set, checked and worked out, as the options of each part.
        .target(
            name: "Configuration",
            dependencies: [
                "TaskModel", "CeleryWire", "Canvas", "Ports", "Beat", "Control", "Engine", "Hooks", "Runner", "CLinux",
                "Linux", "Loop", "Transports", "WireFormats", "Client", "Settings", "Output", "PythonApp", json,
                logging,
            ], path: "Sources/App/Configuration",
            swiftSettings: strict),
        // A worker and a beat from start to end: parts, life cycle, service manager, metrics.
        .target(
            name: "Worker",
            dependencies: [
                "CLinux", "TaskModel", "CeleryWire", "Canvas", "Ports", "Beat", "Control", "Engine", "Hooks",
                "LocalSocket", "Loop",
                "Observability", "PythonApp", "Runner", "Settings", "Traces", "Transports", "Output", "Configuration",
                json,
                logging, metrics,
            ], path: "Sources/App/Worker",
            swiftSettings: strict),
        // What `taskhost doctor` examines, and its report.
        .target(
            name: "Doctor",
            dependencies: [
                "TaskModel", "Ports", "Beat", "CHTTP", "CLinux", "Loop", "PythonApp", "Runner", "Settings",
                "Transports",
                "Output", "Configuration", json,
            ], path: "Sources/App/Doctor",
            swiftSettings: strict),
        // What is asked of all workers, and shown: remote commands, status, top, events, what is due later.
        .target(
            name: "Fleet",
            dependencies: [
                "TaskModel", "CeleryWire", "Ports", "Client", "Control", "LocalSocket", "Loop", "Settings",
                "Transports", "Output",
                "Configuration", json,
            ], path: "Sources/App/Fleet",
            swiftSettings: strict),
        // From nothing to a task: new bundles, the loop of building and serving, single runs, stubs for clients.
        .target(
            name: "Onboarding",
            dependencies: [
                "TaskModel", "Ports", "CLinux", "CRunnerProtocol", "Linux", "Loop", "Runner", "Settings", "Output",
                "Configuration", json,
            ], path: "Sources/App/Onboarding",
            swiftSettings: strict),
        .executableTarget(
            name: "taskhost",
            dependencies: [
                "Onboarding",
                "TaskModel", "CeleryWire", "Control", "Ports", "Loop", "Transports", "LocalSocket", "Runner",
                "Client", "Canvas", "Beat", "CLinux", "Settings", "Output", "Configuration", "Worker", "Fleet",
                "Doctor", "Linux", json, signature,
                logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Sources/App/taskhost",
            swiftSettings: strict),

        // What several of the tests share: variables, servers, folders, programs.
        .target(name: "TestKit", path: "Tests/Kit", swiftSettings: strict),
        .testTarget(
            name: "WireFormatsTests", dependencies: ["WireFormats", "CeleryWire", "Ports", "TaskModel", json],
            exclude: ["Fixtures"]),
        .testTarget(name: "TaskModelTests", dependencies: ["TaskModel"]),
        .testTarget(name: "PullConsumerTests", dependencies: ["PullConsumer", "TaskModel"]),
        .testTarget(
            name: "LocalSocketTests", dependencies: ["LocalSocket", "Loop", "Ports", "TaskModel", json, "TestKit"]),
        .testTarget(
            name: "BeatTests", dependencies: ["Beat", "CeleryWire", "Linux", "Ports", "TaskModel", json, "TestKit"]),
        .testTarget(name: "LinuxTests", dependencies: ["Linux"]),
        .testTarget(name: "LoopTests", dependencies: ["Loop", "Ports", "CLinux"]),
        .testTarget(
            name: "CeleryWireTests", dependencies: ["CeleryWire", "TaskModel", json, "TestKit"], exclude: ["Fixtures"]),
        .testTarget(
            name: "CanvasTests", dependencies: ["Canvas", "TaskModel", "CeleryWire", json], exclude: ["Fixtures"]),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "Canvas", "TaskModel", "CeleryWire", "Ports", json]),
        .testTarget(
            name: "RunnerTests",
            dependencies: ["Runner", "Loop", "Ports", "TaskModel", "CLinux", "CRunnerProtocol", "TestKit"]),
        .testTarget(
            name: "ControlTests", dependencies: ["Control", "CeleryWire", "Ports", "TaskModel", json],
            exclude: ["Fixtures"]),
        .testTarget(name: "HooksTests", dependencies: ["Hooks", "Ports", "TaskModel", json]),
        .testTarget(name: "TracesTests", dependencies: ["Traces", "Ports", "TaskModel", json]),
        .testTarget(name: "ObservabilityTests", dependencies: ["Observability", "Ports", "TaskModel", metrics]),
        .testTarget(name: "TransportTests", dependencies: ["Transports", "Redis", "Loop", "Ports", "TaskModel"]),
        .testTarget(name: "RabbitMQTests", dependencies: ["RabbitMQ", "Loop", "Ports", "TaskModel", "TestKit"]),
        .testTarget(
            name: "AdapterTests",
            dependencies: [
                "Transports", "Memcached", "MongoDB", "MySQL", "PostgreSQL", "Redis", "SQLite", "SQLRows", "Loop",
                "Ports", "TaskModel",
                "TestKit", json,
            ], exclude: ["Fixtures"]),
        .testTarget(name: "TaskhostClientTests", dependencies: ["TaskhostClient", sdk, "TestKit"], exclude: ["tour"]),
        .testTarget(
            name: "TaskhostTests",
            dependencies: [
                "taskhost", "CLinux", "Control", "Engine", "Runner", "Settings", "TaskModel",
                "CeleryWire", "Ports", "Output", "Configuration", "Worker", "Fleet", "Doctor", json,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Worker", "Configuration", "Output", "Engine", "Loop", "Ports", "Settings", "TaskModel", json,
            ]),
        .testTarget(
            name: "DoctorTests",
            dependencies: [
                "Doctor", "Configuration", "RabbitMQ", "Ports", "Settings", "TaskModel", "TestKit",
            ]),
        .testTarget(
            name: "FleetTests", dependencies: ["Fleet", "Output", "Client", "Control", "Ports", "TaskModel", json]),
        .testTarget(name: "OutputTests", dependencies: ["Output", logging]),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: [
                "Configuration", "Output", "Settings", "Beat", "Canvas", "CeleryWire", "Ports", "TaskModel",
                "Transports", "TestKit", json,
            ]),
    ],
    cxxLanguageStandard: .cxx17
)
