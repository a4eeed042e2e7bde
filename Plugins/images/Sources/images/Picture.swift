// A picture in memory, from file to file.

import CImageOps
import Glibc
import TaskhostSDK

/// Owns one libvips image. Each operation replaces it.
struct Picture: ~Copyable {
    /// A stranger's file may be small and its picture huge: 100 megapixels are 300 MB.
    static let maxPixels = 100e6

    private var image: OpaquePointer

    /// Throws Python's FileNotFoundError and its like, or `ImageError` for what is no picture.
    init(contentsOf path: String) throws {
        guard image_start() else { throw ImageError(String(cString: image_failure())) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileError(errno, path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fileError(errno, path) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw fileError(EISDIR, path) }
        guard let loaded = image_load(descriptor, Self.maxPixels) else {
            throw ImageError("\(path) can't be read as a picture: \(String(cString: image_failure()))")
        }
        image = loaded
    }

    deinit { image_free(image) }

    var width: Int { Int(image_width(image)) }
    var height: Int { Int(image_height(image)) }

    mutating func apply(_ operation: Operation) throws {
        let next: OpaquePointer? =
            switch operation {
            case .blur(let sigma): image_blur(image, sigma)
            case .rotate(let degrees): image_rotate(image, degrees)
            case .resize(let width, let height):
                image_resize(image, Int32(width), Int32(height ?? max(1, self.height * width / self.width)))
            case .thumbnail(let width, let height): image_thumbnail(image, Int32(width), Int32(height))
            case .enhance(let factors):
                image_enhance(
                    image,
                    image_enhancement(
                        sharpness: factors.sharpness, contrast: factors.contrast, brightness: factors.brightness,
                        saturation: factors.saturation))
            }
        guard let next else {
            throw ImageError("\(operation.name) failed: \(String(cString: image_failure()))")
        }
        image_free(image)
        image = next
    }

    /// Writes the file whole or not at all. The format is that of the path's suffix.
    func write(to path: String) throws {
        var bytes: UnsafeMutableRawPointer?
        var length = 0
        let suffix = path.lastIndex(of: ".").map { String(path[$0...]) } ?? ".jpg"
        guard image_encode(image, suffix, &bytes, &length), let bytes else {
            throw ImageError("\(path) can't be written: \(String(cString: image_failure()))")
        }
        defer { image_free_bytes(bytes) }
        try writeAtomically(UnsafeRawBufferPointer(start: bytes, count: length), to: path)
    }
}

/// What is wrong with a picture.
struct ImageError: NamedError {
    let errorMessage: String
    init(_ message: String) { errorMessage = message }
}
