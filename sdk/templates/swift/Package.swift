// swift-tools-version: 6.2
// Build with make, which leaves example.so in OUT.
import PackageDescription

let sdk = Context.environment["TASKHOST_SDK"] ?? "/usr/local/share/taskhost/sdk"

let package = Package(
    name: "example",
    products: [.library(name: "example", type: .dynamic, targets: ["example"])],
    dependencies: [.package(name: "sdk", path: sdk)],
    targets: [
        .target(
            name: "example", dependencies: [.product(name: "TaskhostSDK", package: "sdk")],
            linkerSettings: [.unsafeFlags(["-Xlinker", "--version-script=\(sdk)/bundle.map"])])
    ]
)
