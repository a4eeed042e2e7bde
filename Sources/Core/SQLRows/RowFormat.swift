// How the columns are written that hold values: by the serializer, or as old clients of Celery expect them.
public import Ports
public import TaskModel
import TaskhostJSON

public struct RowFormat: ResultFormat, Sendable {
    private let codec: (any ResultCodec)?
    private let readers: ResultReaders

    /// - Parameter codec: of the serializer; nil: JSON.
    public init(codec: (any ResultCodec)?, readers: ResultReaders) {
        self.codec = codec?.uncompressed
        self.readers = readers
    }

    public init(_ options: ResultOptions) { self.init(codec: options.codec, readers: options.readers) }

    public func kept(_ record: ResultRecord, dateDone: (WallTime?) -> WallTime?) throws(StoreFailure) -> TaskRow {
        var row = try TaskRow(record, self)
        row.dateDone = dateDone(row.dateDone)
        return row
    }

    public func document(_ kept: TaskRow) throws(StoreFailure) -> [UInt8] { try kept.document(self) }

    /// The column `result`, of JSON.
    func result(_ value: [UInt8]) throws(StoreFailure) -> [UInt8] {
        switch readers {
        case .celery57: return try column(value)
        case .celery56:
            do throws(JSONError) {
                return Pickle.written(try JSON(parsing: value, limits: .trusted))
            } catch {
                throw StoreFailure("The result cannot be written as a pickle: \(error)", .unfit)
            }
        }
    }

    /// The other columns that hold values, of JSON.
    func column(_ value: [UInt8]) throws(StoreFailure) -> [UInt8] { try codec?.encode(value) ?? value }

    /// To JSON.
    func value(_ column: [UInt8]?, _ name: String, of taskID: String) throws(StoreFailure) -> [UInt8] {
        guard let column else { return Array("null".utf8) }
        // To read one means to run what it says: a writer of the table must not have that of us.
        guard !Pickle.isOne(column) else {
            throw StoreFailure(
                "The \(name) of \(taskID) is a pickle, as Celery up to 5.6 stores it, and pickles are not read here",
                .unfit, fix: "Use Celery 5.7 or newer, and leave results.readers at 5.7")
        }
        let json = try codec?.decode(column) ?? column
        do throws(JSONError) {
            try JSONScan.validate(json, limits: .trusted)
        } catch {
            throw StoreFailure("The \(name) of \(taskID) cannot be read: \(error)", .unfit)
        }
        return json
    }
}
