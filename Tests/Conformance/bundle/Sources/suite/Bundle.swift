// What the host calls when it loads the bundle.

public import TaskhostSDK

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("suite", version: "5.7.0") {
        Identity.self
        Add.self
        AddNotTyped.self
        AddIgnoreResult.self
        Mul.self
        TSum.self
        XSum.self
        DelayedSum.self
        DelayedSumWithSoftGuard.self
        Sleeping.self
        AddPydantic.self
        AddPydanticStringAnnotations.self
        WriteToFileAndReturnInt.self
        PrintUnicode.self
        RedisEcho.self
        RedisEchoGroupID.self
        RedisCount.self
        SumAndRecord.self
        ErrbackOldStyle.self
        ErrbackOldStyleWithArgs.self
        ErrbackNewStyle.self
        ErrbackNewStyleWithArgs.self
        Ids.self
        CollectIds.self
        ReturnPriority.self
        ReturnRequestETA.self
        ReturnProperties.self
        ReturnRequestTimeLimits.self
        TaskWithDeclaredTimeLimits.self
        Fail.self
        RaiseError.self
        FailUnpickleable.self
        ReturnException.self
        RejectWithoutRequeue.self
        RejectThenSucceed.self
        RetryTask.self
        RetryUnpickleable.self
        RetryOnce.self
        RetryOncePriority.self
        RetryOnceHeaders.self
        RetryWithArgsAfterKwargs.self
        RetryWithKwargsAfterArgs.self
        AutoRetryClassTask.self
        AddReplaced.self
        AddReplacedWithChain.self
        FailReplaced.self
        ReplaceWithChain.self
        ReplaceWithChainWhichRaises.self
        ReplaceWithEmptyChain.self
        ReplaceWithChainWhichContainsAGroup.self
        AddToAll.self
        AddToAllToChord.self
        AddChordToChord.self
        RecordReplacedTaskNesting.self
        SecondOrderReplace1.self
        SecondOrderReplace2.self
        ReplaceWithStampedTask.self
        ReplacedWithMe.self
        BuildChainInsideTask.self
        RebuildSignature.self
        ReturnNestedSignatureChainChain.self
        ReturnNestedSignatureChainGroup.self
        ReturnNestedSignatureChainChord.self
        ReturnNestedSignatureGroupChain.self
        ReturnNestedSignatureGroupGroup.self
        ReturnNestedSignatureGroupChord.self
        ReturnNestedSignatureChordChain.self
        ReturnNestedSignatureChordGroup.self
        ReturnNestedSignatureChordChord.self
    }.register(with: host)
}
