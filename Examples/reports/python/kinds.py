"""The reports there are: what each asks the database about the days from ?1 up to, and without, ?2. Qué informes hay."""
import dataclasses
import datetime


@dataclasses.dataclass
class Kind:
    title: str
    heading: list
    sql: str
    days: int = 0  # none: the month before / ninguno: el mes anterior

    def period(self, day):
        """The first day, and the first after it. El primer día, y el primero después."""
        if self.days:
            return day - datetime.timedelta(days=self.days), day
        until = day.replace(day=1)
        return (until - datetime.timedelta(days=1)).replace(day=1), until


KINDS = {
    "sales": Kind("Ventas del día", ["producto", "unidades", "importe"], """
        SELECT product, sum(units), printf('%.2f', sum(units * cents) / 100.0) FROM sales
        WHERE day >= ?1 AND day < ?2 GROUP BY product ORDER BY product""", days=1),
    "users": Kind("Usuarios activos de la semana", ["día", "usuarios"], """
        SELECT day, count(DISTINCT user) FROM logins
        WHERE day >= ?1 AND day < ?2 GROUP BY day ORDER BY day""", days=7),
    "finances": Kind("Informe financiero del mes", ["cuenta", "saldo"], """
        SELECT account, printf('%.2f', sum(cents) / 100.0) FROM ledger
        WHERE day >= ?1 AND day < ?2 GROUP BY account ORDER BY account"""),
}
