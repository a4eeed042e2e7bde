// swift-tools-version: 6.2
// The tasks of Celery's integration suite, in Swift on the public SDK. Build it with make, which names the SDK's folder.
import PackageDescription

let sdk = Context.environment["TASKHOST_SDK"] ?? "../../../sdk"

let package = Package(
    name: "suite",
    products: [.library(name: "suite", type: .dynamic, targets: ["suite"])],
    dependencies: [.package(name: "sdk", path: sdk)],
    targets: [
        .target(
            name: "suite", dependencies: [.product(name: "TaskhostSDK", package: "sdk")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ],
            linkerSettings: [.unsafeFlags(["-Xlinker", "--version-script=\(sdk)/bundle.map"])])
    ]
)
