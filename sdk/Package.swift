// swift-tools-version: 6.2
// What bundle authors build against. Linked statically into each bundle; depends on nothing.
import PackageDescription

/// The language settings of the host's modules. Settings any compiler flag can repeat: build-static does.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "sdk",
    products: [
        .library(name: "TaskhostSDK", type: .static, targets: ["TaskhostSDK"]),
        .library(name: "TaskhostSignature", type: .static, targets: ["TaskhostSignature"]),
        .library(name: "TaskhostJSON", type: .static, targets: ["TaskhostJSON"]),
        .library(name: "TaskhostTesting", type: .static, targets: ["TaskhostTesting"]),
    ],
    targets: [
        // The C ABI, header only; include/module.modulemap names it for Swift.
        .systemLibrary(name: "CTaskhost", path: "include"),
        .target(name: "TaskhostJSON", swiftSettings: strict),
        // Calls to come: for bundles, and for programs that send (the host's TaskhostClient).
        .target(name: "TaskhostSignature", dependencies: ["TaskhostJSON"], swiftSettings: strict),
        .target(
            name: "TaskhostSDK", dependencies: ["CTaskhost", "TaskhostJSON", "TaskhostSignature"], swiftSettings: strict
        ),
        // For unit tests of tasks, and of the SDK itself.
        .target(
            name: "TaskhostTesting", dependencies: ["TaskhostSDK", "TaskhostJSON", "TaskhostSignature"],
            swiftSettings: strict),
        .testTarget(name: "TaskhostJSONTests", dependencies: ["TaskhostJSON"], swiftSettings: strict),
        .testTarget(
            name: "TaskhostSDKTests", dependencies: ["TaskhostSDK", "TaskhostJSON", "TaskhostTesting"],
            swiftSettings: strict),
    ]
)
