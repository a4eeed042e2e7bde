/// What a wait that took too long was for.
package struct TooLate: Error, CustomStringConvertible {
    package let what: String
    /// What may say why.
    package let context: [String]

    package init(what: String, context: [String] = []) {
        self.what = what
        self.context = context
    }

    package var description: String { "waited in vain for \(what)\(context.isEmpty ? "" : "; so far: \(context)")" }
}
