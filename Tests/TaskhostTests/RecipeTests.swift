// docs/architecture.md tells where to add what: each of its recipes is there, and the files it names are, too.
import Foundation
import Testing

@Suite("Recipes")
struct RecipeTests {
    private static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// By their bold leads.
    private static let expected = [
        "A broker", "A result store", "A command of the program", "A remote command", "A setting",
        "An option of tasks", "A verdict",
    ]

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.top.appending(path: path), encoding: .utf8)
    }

    /// What stands below the headings that tell where to add something, by bold lead.
    private func recipes() throws -> [String: String] {
        var found: [String: String] = [:]
        for section in try text("docs/architecture.md").split(separator: "\n## ") {
            guard section.hasPrefix("Adding an outside system\n") || section.hasPrefix("Where a change goes\n") else {
                continue
            }
            let leads = section.matches(of: #/(?m)^\*\*(.+?)\.\*\*/#)
            let ends = leads.dropFirst().map(\.range.lowerBound) + [section.endIndex]
            for (lead, end) in zip(leads, ends) { found[String(lead.1)] = String(section[lead.range.upperBound..<end]) }
        }
        return found
    }

    @Test("whoever adds something finds how", arguments: expected)
    func isThere(lead: String) throws {
        let recipe = try #require(try recipes()[lead], "docs/architecture.md has no recipe **\(lead).**")
        #expect(recipe.firstMatch(of: #/\]\(\.\./(Sources|sdk)/[^)]+\)/#) != nil, "it names no source file")
    }

    @Test("a recipe names files that exist, as a link or between backticks")
    func namesFiles() throws {
        let recipes = try recipes()
        #expect(recipes.count >= Self.expected.count)
        for (lead, recipe) in recipes {
            let links = recipe.matches(of: #/\]\(([^)#:]+)[^)]*\)/#).map { "docs/" + $0.1 }
            let words = recipe.matches(of: #/`((?:Sources|Tests|Plugins|sdk|scripts|docs)/[^`]+)`/#).map {
                String($0.1)
            }
            // Words in capitals stand for a name of one's own, beside others of its kind.
            let own = words.filter { $0.firstMatch(of: #/[A-Z]{3}/#) != nil }
            for path in own where path.hasSuffix("/NAME") {
                let place = Self.top.appending(path: path).deletingLastPathComponent()
                let beside = try FileManager.default.contentsOfDirectory(atPath: place.path).filter { name in
                    let files = try? FileManager.default.contentsOfDirectory(atPath: place.appending(path: name).path)
                    return files?.contains { $0.hasSuffix(".swift") } ?? false
                }
                #expect(!beside.isEmpty, "**\(lead).** names \(path), and there is no module beside it")
            }
            for path in links + words.filter({ !own.contains($0) }) {
                let file = Self.top.appending(path: path).path
                #expect(FileManager.default.fileExists(atPath: file), "**\(lead).** names \(path)")
            }
        }
    }

    @Test("each folder of tests says in docs/testing.md what it is")
    func folders() throws {
        let text = try text("docs/testing.md")
        let tests = Self.top.appending(path: "Tests").path
        for name in try FileManager.default.contentsOfDirectory(atPath: tests).sorted() where !name.hasPrefix(".") {
            #expect(name.hasSuffix("Tests") || text.contains("`Tests/\(name)`"), "Tests/\(name) is not in the table")
        }
    }
}
