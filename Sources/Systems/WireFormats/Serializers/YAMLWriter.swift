private import CYAML
// JSON values to YAML, by LibYAML, so that Python's safe loader reads the same values.
import CeleryWire
import TaskModel
import TaskhostJSON

struct YAMLWriter {
    private static let standard = "tag:yaml.org,2002:"

    /// LibYAML writes through a pointer to this.
    private final class Output {
        var bytes: [UInt8] = []
    }

    private let emitter: UnsafeMutablePointer<yaml_emitter_t>

    /// Bytes, dates and times of day with a date become YAML's own; the other types JSON lacks stay Kombu's typed maps.
    static func bytes(_ value: JSON) throws(WireError) -> [UInt8] {
        let emitter = UnsafeMutablePointer<yaml_emitter_t>.allocate(capacity: 1)
        defer { emitter.deallocate() }
        guard yaml_emitter_initialize(emitter) == 1 else { throw noMemory }
        defer { yaml_emitter_delete(emitter) }
        let output = Output()
        yaml_emitter_set_output(
            emitter,
            { context, buffer, size in
                guard let context, let buffer else { return 0 }
                let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                output.bytes.append(contentsOf: UnsafeBufferPointer(start: buffer, count: size))
                return 1
            }, Unmanaged.passUnretained(output).toOpaque())
        yaml_emitter_set_width(emitter, -1)
        let writer = YAMLWriter(emitter: emitter)
        try writer.emit { yaml_stream_start_event_initialize(&$0, YAML_UTF8_ENCODING) }
        try writer.emit { yaml_document_start_event_initialize(&$0, nil, nil, nil, 1) }
        try writer.write(value)
        try writer.emit { yaml_document_end_event_initialize(&$0, 1) }
        try writer.emit { yaml_stream_end_event_initialize(&$0) }
        yaml_emitter_flush(emitter)
        return withExtendedLifetime(output) { output.bytes }
    }

    private func write(_ value: JSON) throws(WireError) {
        switch value {
        case .null: try plain("null")
        case .bool(let flag): try plain(flag ? "true" : "false")
        case .int(let number): try plain(String(number))
        case .bigInteger(let digits): try plain(digits)
        case .double(let number): try plain(Self.float(number))
        case .string(let text): try quote(text, tag: nil)
        case .surrogates: throw WireError(.malformedBody, "half of a surrogate pair cannot be written as YAML")
        case .array(let elements):
            try emit { yaml_sequence_start_event_initialize(&$0, nil, nil, 1, YAML_FLOW_SEQUENCE_STYLE) }
            for element in elements { try write(element) }
            try emit { yaml_sequence_end_event_initialize(&$0) }
        case .object(let members):
            if try writeTyped(members) { return }
            try emit { yaml_mapping_start_event_initialize(&$0, nil, nil, 1, YAML_FLOW_MAPPING_STYLE) }
            for member in members {
                try quote(member.key, tag: nil)
                try write(member.value)
            }
            try emit { yaml_mapping_end_event_initialize(&$0) }
        }
    }

    /// False: not one of the types YAML has.
    private func writeTyped(_ members: [JSONMember]) throws(WireError) -> Bool {
        if let bytes = KombuValue.bytes(in: members) {
            try quote(Base64.encode(bytes), tag: Self.standard + "binary")
            return true
        }
        guard let (type, value) = KombuValue.parts(members), ["datetime", "date"].contains(type), let text = value.text,
            YAMLTime.looksLikeOne(text), YAMLTime.read(text) != nil
        else { return false }
        try quote(text, tag: Self.standard + "timestamp")
        return true
    }

    /// PyYAML takes a number for a float only if it has a point.
    private static func float(_ number: Double) -> String {
        if number.isNaN { return ".nan" }
        if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
        let text = number.description
        guard let mark = text.firstIndex(of: "e"), !text.contains(".") else { return text }
        return text[..<mark] + ".0" + text[mark...]
    }

    private func plain(_ text: String) throws(WireError) {
        try scalar(text, tag: nil, isPlain: true, YAML_PLAIN_SCALAR_STYLE)
    }

    private func quote(_ text: String, tag: String?) throws(WireError) {
        try scalar(text, tag: tag, isPlain: false, YAML_DOUBLE_QUOTED_SCALAR_STYLE)
    }

    private func scalar(
        _ text: String, tag: String?, isPlain: Bool, _ style: yaml_scalar_style_t
    ) throws(WireError) {
        var text = text
        let count = text.utf8.count
        try emit { event in
            text.withUTF8 { value in
                // The tag is copied, like the text; the empty text still needs an address.
                let tag = tag.map { Array($0.utf8) + [0] }
                let start = value.baseAddress ?? UnsafePointer(bitPattern: 8)
                return yaml_scalar_event_initialize(
                    &event, nil, tag, start, CInt(clamping: count), isPlain ? 1 : 0, tag == nil ? 1 : 0, style)
            }
        }
    }

    private func emit(_ make: (inout yaml_event_t) -> CInt) throws(WireError) {
        var event = yaml_event_t()
        guard make(&event) == 1 else { throw Self.noMemory }
        // Takes the event over, also when it fails.
        guard yaml_emitter_emit(emitter, &event) == 1 else {
            throw WireError(.malformedBody, "a value could not be written as YAML")
        }
    }

    private static var noMemory: WireError { WireError(.tooLarge, "no memory to write YAML") }
}
