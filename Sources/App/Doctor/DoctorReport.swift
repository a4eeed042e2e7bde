// The report of `taskhost doctor`, as text and as JSON.
import Configuration
import Output
import Ports
import Settings
package import TaskhostJSON

extension Finding {
    /// - Parameter sentences: what, then the fix.
    static func fail(_ subject: String, sentences: String) -> Finding {
        let end = sentences.firstMatch(of: #/\.\s+(?=\p{Lu})/#)
        let what = end.map { String(sentences[..<$0.range.lowerBound]) } ?? sentences
        return fail(subject, what, fix: end.map { String(sentences[$0.range.upperBound...]) })
    }
}

package struct DoctorReport {
    var settings: [EffectiveSetting]
    var findings: [Finding]

    package var hasFailures: Bool { findings.contains { $0.level == .fail } }

    package var text: String {
        let table = TextTable.lines(settings.map { [$0.name, $0.value, $0.origin] })
        let width = findings.map(\.subject.count).max() ?? 0
        var lines = ["Configuration"] + table.map { "  " + $0 } + ["", "Checks"]
        for finding in findings {
            let start = "  " + finding.level.rawValue.padded(to: 4) + "  " + finding.subject.padded(to: width) + "  "
            lines.append(start + Self.oneLine(finding.detail))
            if let fix = finding.fix {
                lines.append(String(repeating: " ", count: start.count) + "fix: " + Self.oneLine(fix))
            }
        }
        return (lines + ["", summary]).joined(separator: "\n")
    }

    package var json: JSON {
        let settings = settings.map { one -> JSON in
            ["name": .string(one.name), "value": .string(one.value), "origin": .string(one.origin)]
        }
        let checks = findings.map { one -> JSON in
            [
                "level": .string(one.level.rawValue), "subject": .string(one.subject), "detail": .string(one.detail),
                "fix": one.fix.map(JSON.string) ?? nil,
            ]
        }
        let counts = Finding.Level.allCases.map { JSONMember(key: $0.rawValue, value: .int(Int64(count($0)))) }
        return ["settings": .array(settings), "checks": .array(checks), "counts": .object(counts)]
    }

    private var summary: String {
        "\(count(.ok)) ok, \(count(.note)) to note, \(count(.warn)) warnings, \(count(.fail)) failures"
    }

    private func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }

    /// Servers' words may hold line breaks.
    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.joined(separator: " ")
    }
}
