// The members of a meta document, without a tree of what is in them.
import Ports
import TaskhostJSON

struct MetaMembers {
    private let document: [UInt8]
    private var ranges: [String: JSONScan.Member] = [:]
    private var order: [JSONScan.Member] = []

    init(_ document: [UInt8]) throws(StoreFailure) {
        self.document = document
        do throws(JSONError) {
            order = try JSONScan.topLevelObject(document, limits: .trusted)
        } catch {
            throw StoreFailure("The result is no document: \(error)", .unfit)
        }
        for member in order { ranges[String(decoding: document[member.key], as: UTF8.self)] = member }
    }

    func has(_ key: String) -> Bool { ranges[key] != nil }

    /// As written.
    func bytes(_ key: String) -> [UInt8]? { ranges[key].map { Array(document[$0.value]) } }

    /// nil also for null and an empty list.
    func filled(_ key: String) -> [UInt8]? {
        guard let value = ranges[key]?.value, document[value.lowerBound] == UInt8(ascii: "[") else { return nil }
        let isEmpty = document[value].dropFirst().first { $0 > 0x20 } == UInt8(ascii: "]")
        return isEmpty ? nil : Array(document[value])
    }

    func text(_ key: String) -> String? { value(key)?.text }

    func integer(_ key: String) -> Int64? { value(key)?.integer }

    /// Names, as written between their quotes, and values.
    func all() -> [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] {
        order.map { (document[$0.key], document[$0.value]) }
    }

    /// What Celery's column `stamps` holds; nil: there are none.
    func stamps() -> [UInt8]? {
        guard let names = value("stamped_headers")?.elements?.compactMap(\.text), !names.isEmpty else { return nil }
        let members = names.compactMap { name in
            value(name).map { JSONMember(key: name, value: $0) }
        }
        return JSON.object([
            JSONMember(key: "stamped_headers", value: .array(names.map(JSON.string))),
            JSONMember(key: "stamps", value: .object(members)),
        ]).bytes
    }

    private func value(_ key: String) -> JSON? {
        guard let range = ranges[key]?.value else { return nil }
        do throws(JSONError) {
            return try JSON(parsing: document[range], limits: .trusted)
        } catch {
            // The scan has seen it, so this is half of a surrogate pair in a key.
            return nil
        }
    }
}
