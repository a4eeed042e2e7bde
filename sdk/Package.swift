// swift-tools-version: 6.2
// What bundle authors build against. Linked statically into each bundle; depends on nothing.
import PackageDescription

let package = Package(
    name: "sdk",
    products: [
        .library(name: "TaskhostSDK", type: .static, targets: ["TaskhostSDK"]),
        .library(name: "TaskhostJSON", type: .static, targets: ["TaskhostJSON"]),
    ],
    targets: [
        .target(name: "CTaskhost", path: "include", sources: []),
        .target(name: "TaskhostJSON"),
        .target(name: "TaskhostSDK", dependencies: ["CTaskhost", "TaskhostJSON"]),
        .testTarget(name: "TaskhostJSONTests", dependencies: ["TaskhostJSON"]),
        .testTarget(name: "TaskhostSDKTests", dependencies: ["TaskhostSDK", "TaskhostJSON"]),
    ]
)
