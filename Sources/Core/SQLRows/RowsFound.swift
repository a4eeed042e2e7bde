// What the latest rows of a table tell of who writes and reads it.
public import Ports
import TaskModel

public struct RowsFound {
    var all: Int
    var pickles: Int

    /// - Parameter all: rows that were looked at; `pickles` of them are such.
    public init(all: Int, pickles: Int) {
        self.all = all
        self.pickles = pickles
    }

    /// - Parameter place: the server, for the operator.
    public func finding(_ question: ExaminationQuestion, _ place: String) -> Finding {
        switch question.results.readers {
        case .celery57 where pickles > 0:
            .warn(
                question.subject,
                "\(place): of its latest \(all) results \(pickles) are pickles, as Celery up to 5.6 stores them. Its "
                    + "clients cannot read what is written here",
                fix: "set results.readers to \"5.6\" until all clients are 5.7 or newer")
        case .celery56 where all > 0 && pickles == 0:
            .note(
                question.subject,
                "\(place): none of its latest \(all) results is a pickle. Celery up to 5.6 cannot read those",
                fix: "leave results.readers at \"5.7\" if no client is older")
        default: .ok(question.subject, place)
        }
    }
}
