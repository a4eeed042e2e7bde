// Channels by the hundred: opened before anything is consumed, with little memory for each.
import CRabbitMQ
import Ports
import TaskModel

extension AMQPConnection {
    /// librabbitmq keeps memory for the frames of each channel, in pages as large as the largest frame: 128 KiB. It takes
    /// the size when the first frame of a channel comes; so the channels of many queues are opened here, while only the
    /// small answers to that can come, with a smaller limit that is lifted afterwards. What is longer than a page is
    /// allocated by itself, which costs large messages a little, and so few channels keep large pages.
    static let smallPageBytes: Int32 = 4096
    /// That many channels with large pages take 4 MiB.
    static let mostLargeChannels = 32

    /// Opens channels 1 up to `count`, if they are many. Waits for the broker; only before anything is consumed.
    /// - Returns: how many are open now.
    func openSmallChannels(_ count: Int) throws(BrokerFailure) -> Int {
        guard count > Self.mostLargeChannels, count <= Int(channelMax), amqp_release_buffers_ok(state) != 0 else {
            return 0
        }
        release()
        try limitFrames(to: Self.smallPageBytes)
        for channel in 1...UInt16(count) {
            try send(
                channel, MethodID.channelOpen, amqp_channel_open_t(out_of_band: amqp_empty_bytes),
                what: "opening a channel")
        }
        var left = count
        while left > 0 {
            guard let frame = try nextFrame(withinSeconds: replyTimeoutSeconds) else {
                throw BrokerFailure(.closed, "\(address): no answer to the opening of channels")
            }
            guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { continue }
            switch frame.payload.method.id {
            case MethodID.channelOpenOK: left -= 1
            case MethodID.connectionClose, MethodID.channelClose:
                throw BrokerFailure.closing(frame.payload.method, "\(address)")
                    ?? BrokerFailure(.protocolError, "\(address): a channel was closed while it was opened")
            default: break
            }
        }
        // A whole frame was the last that was looked at: the library is between two frames, as it demands here.
        try limitFrames(to: Int32(frameMax))
        release()
        return count
    }

    private func limitFrames(to bytes: Int32) throws(BrokerFailure) {
        let status = amqp_tune_connection(
            state, amqp_get_channel_max(state), bytes, amqp_get_heartbeat(state))
        if status != 0 { throw BrokerFailure.library(status, "\(address)") }
    }
}
