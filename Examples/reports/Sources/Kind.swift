// The reports there are: what each asks the database, and when it is sent. Qué informes hay, y cuándo salen.
import TaskhostSDK

/// A question about the days from ?1 up to, and without, ?2. / Una pregunta sobre los días desde ?1 hasta antes de ?2.
struct Kind {
    var title: String
    var heading: [String]
    var sql: String
    /// SQLite's words for the first day, counted from the day of the report. El primer día del período.
    var since: [String]
    var until: [String]

    static let all = [
        "sales": Kind(
            title: "Ventas del día", heading: ["producto", "unidades", "importe"],
            sql: """
                SELECT product, sum(units), printf('%.2f', sum(units * cents) / 100.0) FROM sales
                WHERE day >= ?1 AND day < ?2 GROUP BY product ORDER BY product
                """, since: ["-1 day"], until: []),
        "users": Kind(
            title: "Usuarios activos de la semana", heading: ["día", "usuarios"],
            sql: """
                SELECT day, count(DISTINCT user) FROM logins
                WHERE day >= ?1 AND day < ?2 GROUP BY day ORDER BY day
                """, since: ["-7 days"], until: []),
        "finances": Kind(
            title: "Informe financiero del mes", heading: ["cuenta", "saldo"],
            sql: """
                SELECT account, printf('%.2f', sum(cents) / 100.0) FROM ledger
                WHERE day >= ?1 AND day < ?2 GROUP BY account ORDER BY account
                """, since: ["start of month", "-1 month"], until: ["start of month"]),
    ]

    /// Daily at 8, Mondays at 9, the first of the month at 10. Diario, semanal, mensual.
    static let schedules = [
        TaskSchedule("sales", cron: "0 8 * * *", timezone: zone, args: ["sales"]),
        TaskSchedule("users", cron: "0 9 * * mon", timezone: zone, args: ["users"]),
        TaskSchedule("finances", cron: "0 10 1 * *", timezone: zone, args: ["finances"]),
    ]
    private static let zone = "America/Argentina/Mendoza"

    static func named(_ name: String) throws -> Kind {
        if let kind = all[name] { return kind }
        throw TaskError(type: "ValueError", "no report \(name); there are \(all.keys.sorted().joined(separator: ", "))")
    }

    /// The period of the report of `day`: the first day, and the first after it.
    func period(_ day: String, _ database: Database) throws -> (String, String) {
        func date(_ changes: [String]) throws -> String {
            let words = ["?1"] + changes.map { "'\($0)'" }
            return try database.rows("SELECT date(\(words.joined(separator: ", ")))", [day])[0][0]
        }
        return (try date(since), try date(until))
    }
}
