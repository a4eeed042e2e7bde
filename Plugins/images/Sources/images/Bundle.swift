// What the host calls when it loads the bundle.

public import TaskhostSDK

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("images", version: "1.0.0") {
        Process.self
        Thumbnail.self
        Blur.self
        Rotate.self
    }.register(with: host)
}
