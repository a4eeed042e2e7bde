// The commands of a verb as help lists them.
package import Control
import Output

extension CommandTable {
    /// Two columns, within 80: a long usage has its summary below.
    package func help(_ verb: RemoteCommand.Verb) -> String {
        let width = 26
        return visible(verb).map { command in
            let usage = "  " + command.usage
            let fits = usage.count <= width - 2
            return (fits ? usage.padded(to: width) : usage + "\n" + "".padded(to: width)) + command.summary
        }.joined(separator: "\n")
    }
}
