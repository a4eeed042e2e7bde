// What a user may not do, and the command that allows it.

/// "ACCESS_REFUSED - configure access to queue 'q' in vhost '/' refused for user 'u'".
enum RightsText {
    static func fix(for text: String) -> String? {
        guard let right = ["configure", "write", "read"].first(where: { text.contains("\($0) access to ") }),
            let user = PreconditionText.between(text, "for user '", "'"),
            let host = PreconditionText.between(text, "in vhost '", "'"),
            let name = PreconditionText.between(text, "access to queue '", "'")
                ?? PreconditionText.between(text, "access to exchange '", "'")
        else { return nil }
        return
            "Give user '\(user)' the right to \(right) '\(name)': rabbitmqctl set_permissions -p '\(host)' '\(user)' "
            + "CONFIGURE WRITE READ (three patterns of names); docs/rabbitmq.md lists the least of them"
    }
}
