// Replies to `bundles` as a table; why a version does not serve stands below it.
import Output
import TaskModel
package import TaskhostJSON

package enum BundleVersions {
    package static func lines(_ replies: [JSONMember]) -> [String] {
        var rows = [["NODE", "BUNDLE", "VERSION", "STATE", "SHARE", "RUNS", "CRASHES", "FILE"]]
        var notes: [String] = []
        for reply in replies {
            if let error = reply.value["error"]?.text { notes.append("\(reply.key): \(Printable.line(error))") }
            for bundle in reply.value.elements ?? [] {
                rows.append([reply.key] + row(bundle, among: reply.value.elements ?? []))
                if let reason = bundle["reason"]?.text { notes.append("\(reply.key): \(Printable.line(reason))") }
            }
        }
        return TextTable.lines(rows) + (notes.isEmpty ? [] : [""] + notes)
    }

    static func trial(_ bundle: JSON) -> String {
        func count(_ key: String) -> Int64 { bundle[key]?.integer ?? 0 }
        return "\(bundle["name"]?.text ?? "?") \(bundle["version"]?.text ?? "") is on trial: "
            + "\(percent(bundle["share"]?.number ?? 0)) of its runs, \(count("crashes")) of \(count("runs")) crashed"
    }

    private static func percent(_ share: Double) -> String { "\(((share * 1000).rounded() / 10).plain) %" }

    private static func row(_ bundle: JSON, among all: [JSON]) -> [String] {
        var share = bundle["share"]?.number ?? 0
        // Beside one on trial the other has the rest.
        if bundle["state"]?.text == "serving" {
            let trial = all.first { $0["state"]?.text == "trial" && $0["path"] == bundle["path"] }
            share -= trial?["share"]?.number ?? 0
        }
        func count(_ key: String) -> String { bundle[key]?.integer.map(String.init) ?? "-" }
        return [
            bundle["name"]?.text ?? "-", bundle["version"]?.text ?? "-", bundle["state"]?.text ?? "?",
            share > 0 ? percent(share) : "-", count("runs"), count("crashes"),
            bundle["path"]?.text ?? "?",
        ]
    }
}
