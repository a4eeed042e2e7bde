// swift-tools-version: 6.2
// An example bundle in Swift: image operations over libvips. Build it with make, which names the SDK's folder.
import PackageDescription

let sdk = Context.environment["TASKHOST_SDK"] ?? "../../sdk"

let package = Package(
    name: "images",
    products: [.library(name: "images", type: .dynamic, targets: ["images"])],
    dependencies: [.package(name: "sdk", path: sdk)],
    targets: [
        .systemLibrary(name: "CVips", pkgConfig: "vips", providers: [.apt(["libvips-dev"])]),
        // libvips's functions are variadic, which Swift can't call: the operations we use, in plain C.
        .target(
            name: "CImageOps", dependencies: ["CVips"],
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-std=gnu11"])]),
        .target(
            name: "images", dependencies: ["CImageOps", .product(name: "TaskhostSDK", package: "sdk")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ],
            linkerSettings: [.unsafeFlags(["-Xlinker", "--version-script=\(sdk)/bundle.map"])]),
    ]
)
