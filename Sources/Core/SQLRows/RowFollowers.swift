// Who waits for which row of Celery's tables.
public import Ports

public typealias RowFollowers = ChangeFollowers<TaskRow>

extension ChangeFollowers<TaskRow>.Change {
    public init(row: TaskRow, version: String) { self.init(taskID: row.taskID, shown: row, version: version) }
}
