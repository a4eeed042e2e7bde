// swift-tools-version: 6.2
// Somebody's package: a bundle, the program that calls it, and the module in which both agree on the tasks.
import PackageDescription

let taskhost = Context.environment["TASKHOST_SOURCE"] ?? "../../.."
let sdk = Target.Dependency.product(name: "TaskhostSDK", package: "sdk")

let package = Package(
    name: "photos",
    products: [
        .library(name: "photos", type: .dynamic, targets: ["photos"]),
        .executable(name: "order", targets: ["order"]),
    ],
    dependencies: [.package(name: "taskhost", path: taskhost), .package(name: "sdk", path: "\(taskhost)/sdk")],
    targets: [
        .target(name: "PhotoTasks", dependencies: [sdk]),
        .target(
            name: "photos", dependencies: ["PhotoTasks", sdk],
            linkerSettings: [.unsafeFlags(["-Xlinker", "--version-script=\(taskhost)/sdk/bundle.map"])]),
        .executableTarget(
            name: "order", dependencies: ["PhotoTasks", sdk, .product(name: "TaskhostClient", package: "taskhost")]),
    ])
