"""Errors of the front door: what keeps the service from starting."""

from keys.errors import Kind, ServiceError


class NotInitialised(ServiceError):
    """The data folder holds no installation yet."""

    code = "not-initialised"
    kind = Kind.UNAVAILABLE
    title = "数据目录尚未初始化"
    title_en = "The data folder holds no installation"
    advice = "请先运行 eseal init；如已初始化，请检查 ESEAL_DATA_FOLDER 或 --data 指向的目录。"


class TestKeysRefused(ServiceError):
    """A production profile was started with the test PKI (T-KEY-08)."""

    __test__ = False
    code = "test-keys-refused"
    kind = Kind.UNAVAILABLE
    title = "正式环境不能使用测试密钥和测试证书"
    title_en = "A production profile does not start with test keys"
    advice = "请导入正式的证书与密钥，或将 ESEAL_ENVIRONMENT 设为 development。"


class ServerFailed(ServiceError):
    """The HTTP server did not come up."""

    code = "server-failed"
    kind = Kind.UNAVAILABLE
    title = "服务未能启动"
    title_en = "The server did not start"
    advice = "请查看日志；端口被占用时请用 ESEAL_PORT 指定其他端口。"


class DemoFailed(ServiceError):
    """A step of the demo did not give what it must."""

    code = "demo-failed"
    kind = Kind.INTERNAL
    title = "演示未通过"
    title_en = "The demo failed"
    advice = "请查看所列步骤与服务日志（data/demo/server.log）。"


class AuthorityNeeded(ServiceError):
    """Several authorities are kept here, and the command did not say for which it acts."""

    code = "authority-needed"
    kind = Kind.INVALID
    title = "请指明所代表的机构"
    title_en = "Say which authority you act for"
    advice = "请用 --authority 加机构的统一社会信用代码。"
