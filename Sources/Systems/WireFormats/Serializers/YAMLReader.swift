private import CYAML
// YAML to JSON text, by LibYAML's events: only what Python's safe loader makes plain values of.
//
// Aliases are followed, since PyYAML writes them for what occurs twice; what they repeat counts against the limits, so
// that a few lines cannot become gigabytes.
import CeleryWire
import TaskhostJSON

struct YAMLReader {
    private enum Open {
        case list([JSON], anchor: String?)
        case map([JSONMember], key: String?, anchor: String?)
    }

    private let limits: WireLimits
    private var values = 0
    private var textBytes = 0
    private var open: [Open] = []
    private var anchors: [String: JSON] = [:]
    private var root: JSON?

    static func json(_ bytes: [UInt8], limits: WireLimits) throws(WireError) -> [UInt8] {
        var reader = YAMLReader(limits: limits)
        let failure = bytes.withUnsafeBufferPointer { reader.parse($0) }
        if let failure { throw failure }
        guard let root = reader.root else { throw WireError(.malformedBody, "the body is YAML without a value") }
        return root.bytes
    }

    private init(limits: WireLimits) { self.limits = limits }

    private mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> WireError? {
        // The parser keeps pointers into itself.
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { return WireError(.tooLarge, "no memory to read YAML") }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { return broken(parser.pointee) }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return nil }
            do throws(WireError) {
                try take(event)
            } catch {
                return error
            }
        }
    }

    private func broken(_ parser: yaml_parser_t) -> WireError {
        if parser.error == YAML_READER_ERROR {
            return WireError(.badEncoding, "the body is not UTF-8 (byte \(parser.problem_offset))")
        }
        let place = "line \(parser.problem_mark.line + 1), column \(parser.problem_mark.column + 1)"
        return WireError(.malformedBody, "the body is not YAML (\(place))")
    }

    private mutating func take(_ event: yaml_event_t) throws(WireError) {
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            guard root == nil else { throw WireError(.malformedBody, "the body holds more than one YAML document") }
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            try enter(tag: start.tag, "seq")
            open.append(.list([], anchor: text(start.anchor)))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            try enter(tag: start.tag, "map")
            open.append(.map([], key: nil, anchor: text(start.anchor)))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: try leave()
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let raw = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            // LibYAML has checked that it is UTF-8.
            let value = try YAMLTag.value(
                of: String(decoding: raw, as: UTF8.self), tag: text(scalar.tag), isPlain: scalar.plain_implicit == 1)
            try charge(value, depth: open.count)
            try add(value, anchor: text(scalar.anchor))
        case YAML_ALIAS_EVENT:
            guard let name = text(event.data.alias.anchor), let value = anchors[name] else {
                throw WireError(.malformedBody, "a YAML alias of the body names nothing, or what it is part of")
            }
            try charge(value, depth: open.count)
            try add(value, anchor: nil)
        default: break
        }
    }

    private func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? { pointer.map { String(cString: $0) } }

    private mutating func enter(tag: UnsafeMutablePointer<UInt8>?, _ kind: String) throws(WireError) {
        try YAMLTag.check(text(tag), is: kind)
        try charge(.array([]), depth: open.count)
        if case .map(_, key: nil, _)? = open.last {
            throw WireError(.malformedBody, "a map of the body has a key that is a list or a map")
        }
    }

    private mutating func leave() throws(WireError) {
        switch open.popLast() {
        case .list(let elements, let anchor)?: try add(.array(elements), anchor: anchor)
        case .map(let members, _, let anchor)?: try add(.object(members), anchor: anchor)
        case nil: break
        }
    }

    /// A finished value, to where it belongs.
    private mutating func add(_ value: JSON, anchor: String?) throws(WireError) {
        if let anchor { anchors[anchor] = value }
        switch open.popLast() {
        case .list(var elements, let own)?:
            elements.append(value)
            open.append(.list(elements, anchor: own))
        case .map(var members, let key?, let own)?:
            members.append(JSONMember(key: key, value: value))
            open.append(.map(members, key: nil, anchor: own))
        case .map(let members, nil, let own)?:
            open.append(.map(members, key: try YAMLTag.key(value), anchor: own))
        case nil: root = value
        }
    }

    /// Counts a value with all in it against the limits. `depth`: containers around it.
    private mutating func charge(_ value: JSON, depth: Int) throws(WireError) {
        values += 1
        // Keys of maps come by here as well, and count half.
        guard values <= 2 * limits.maxNodes else {
            throw WireError(.tooManyValues, "the body holds too many values (max_nodes)")
        }
        switch value {
        case .string(let text), .surrogates(let text): textBytes += text.utf8.count
        case .bigInteger(let digits): textBytes += digits.utf8.count
        case .array(let elements):
            guard depth < limits.maxDepth else { throw WireError(.tooDeep, "the body is nested too deep (max_depth)") }
            for element in elements { try charge(element, depth: depth + 1) }
        case .object(let members):
            guard depth < limits.maxDepth else { throw WireError(.tooDeep, "the body is nested too deep (max_depth)") }
            for member in members {
                textBytes += member.key.utf8.count
                try charge(member.value, depth: depth + 1)
            }
        default: break
        }
        guard textBytes <= limits.maxDecodedBytes else {
            throw WireError(
                .tooLarge, "the body is larger than \(limits.maxDecodedBytes) bytes with its aliases followed")
        }
    }
}
