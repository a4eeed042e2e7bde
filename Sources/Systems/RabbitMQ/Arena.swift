// Memory for what librabbitmq is given to send.
import CRabbitMQ
import TaskModel

/// Strings and tables made here live until `recycle`. Used by one thread at a time.
final class Arena {
    private var pool = amqp_pool_t()

    init() { init_amqp_pool(&pool, 16384) }
    deinit { empty_amqp_pool(&pool) }

    func recycle() { recycle_amqp_pool(&pool) }

    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    func bytes(_ raw: [UInt8]) -> amqp_bytes_t { raw.withUnsafeBytes(copy) }

    private func copy(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard source.count > 0, let memory = amqp_pool_alloc(&pool, source.count), let from = source.baseAddress else {
            return amqp_empty_bytes
        }
        memory.copyMemory(from: from, byteCount: source.count)
        return amqp_bytes_t(len: source.count, bytes: memory)
    }

    func table(_ table: FieldTable) -> amqp_table_t {
        guard !table.fields.isEmpty, let entries = allocate(amqp_table_entry_t.self, table.fields.count) else {
            return amqp_empty_table
        }
        for (index, field) in table.fields.enumerated() {
            entries[index] = amqp_table_entry_t(key: bytes(field.key), value: value(field.value))
        }
        return amqp_table_t(num_entries: Int32(table.fields.count), entries: entries)
    }

    private func array(_ values: [FieldValue]) -> amqp_array_t {
        guard !values.isEmpty, let entries = allocate(amqp_field_value_t.self, values.count) else {
            return amqp_empty_array
        }
        for (index, element) in values.enumerated() { entries[index] = value(element) }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    private func allocate<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T>? {
        amqp_pool_alloc(&pool, count * MemoryLayout<T>.stride)?.bindMemory(to: T.self, capacity: count)
    }

    /// The types py-amqp writes (celery-protocol.md §1.9), so that a re-published table reads the same to it.
    private func value(_ value: FieldValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func kind(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(kind.rawValue) }
        switch value {
        case .null: kind(AMQP_FIELD_KIND_VOID)
        case .bool(let bool):
            kind(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = bool ? 1 : 0
        case .int(let int):
            if let small = Int32(exactly: int) {
                kind(AMQP_FIELD_KIND_I32)
                field.value.i32 = small
            } else {
                // 'L': the library takes it for unsigned, everybody else for signed. The bytes are the same.
                kind(AMQP_FIELD_KIND_U64)
                field.value.u64 = UInt64(bitPattern: int)
            }
        case .double(let double):
            kind(AMQP_FIELD_KIND_F64)
            field.value.f64 = double
        case .string(let text):
            kind(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = bytes(text)
        case .bytes(let raw):
            kind(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = bytes(raw)
        case .timestamp(let seconds):
            kind(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = seconds
        case .array(let values):
            kind(AMQP_FIELD_KIND_ARRAY)
            field.value.array = array(values)
        case .table(let table):
            kind(AMQP_FIELD_KIND_TABLE)
            field.value.table = self.table(table)
        }
        return field
    }

    /// The properties with their presence flags. Short strings above 255 bytes cannot be sent: the caller checks.
    func properties(_ message: WireMessage) -> amqp_basic_properties_t {
        var out = amqp_basic_properties_t()
        var flags: Int32 = AMQP_BASIC_HEADERS_FLAG
        let from = message.properties
        out.headers = table(message.headers)
        func set(_ text: String?, _ flag: Int32, _ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>) {
            guard let text else { return }
            flags |= flag
            out[keyPath: field] = bytes(text)
        }
        set(from.contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, \.content_type)
        set(from.contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, \.content_encoding)
        set(from.correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, \.correlation_id)
        set(from.replyTo, AMQP_BASIC_REPLY_TO_FLAG, \.reply_to)
        set(from.expiration, AMQP_BASIC_EXPIRATION_FLAG, \.expiration)
        set(from.messageID, AMQP_BASIC_MESSAGE_ID_FLAG, \.message_id)
        set(from.type, AMQP_BASIC_TYPE_FLAG, \.type)
        set(from.userID, AMQP_BASIC_USER_ID_FLAG, \.user_id)
        set(from.appID, AMQP_BASIC_APP_ID_FLAG, \.app_id)
        if let priority = from.priority {
            flags |= AMQP_BASIC_PRIORITY_FLAG
            out.priority = priority
        }
        if let mode = from.deliveryMode {
            flags |= AMQP_BASIC_DELIVERY_MODE_FLAG
            out.delivery_mode = mode
        }
        if let timestamp = from.timestamp {
            flags |= AMQP_BASIC_TIMESTAMP_FLAG
            out.timestamp = timestamp
        }
        out._flags = UInt32(flags)
        return out
    }
}
