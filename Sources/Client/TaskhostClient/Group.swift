// Signatures that run side by side: a type of its own, since its result is a list.

/// Several signatures that run side by side, perhaps after something else. Its result is the list of theirs.
public struct Group: Composable {
    private var members: Signature
    /// What runs before the group.
    private var lead: Signature?

    init(members: [Signature]) { self.members = .group(members) }

    /// The group, or the chain that ends in it.
    public var signature: Signature { lead.map { $0 | members } ?? members }

    /// The same with other options; they hold for each member.
    public func options(_ change: (inout CallOptions) -> Void) -> Group {
        var made = self
        made.members = members.options(change)
        return made
    }

    /// First the left one, then each member with its result.
    public static func | (left: Signature, right: Group) -> Group {
        var made = right
        made.lead = right.lead.map { left | $0 } ?? left
        return made
    }

    /// A chord: the right one gets the list of the results.
    public static func | (left: Group, right: Signature) -> Signature { left.signature | right }

    /// Each member of the right one gets the list of the left one's results.
    public static func | (left: Group, right: Group) -> Group { left.signature | right }
}
