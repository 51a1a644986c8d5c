"""Faces for tests: the defaults are ordinary licences, the keywords change fields.

All names, bodies and numbers are invented; the check digits are right.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from licence_store.rendering.face import FaceInput, FaceRenderer
from licence_store.rendering.manifest import LicenceTemplate

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "templates"
FONTS = ROOT / ".cache" / "fonts"
BUSINESS = "11100000MB0143028R001"
FOOD = "11100000MB0143028R002"
RENDERED_AT = datetime(2026, 11, 24, 4, tzinfo=UTC)
QR_LINK = "https://zhengzhao.example.gov.cn/q/1AbCdEfGhIjKlMnOpQrStUv"
LONG_SCOPE = (
    "许可项目：食品销售；餐饮服务；城市配送运输服务（不含危险货物）；第二类增值电信业务；"
    "出版物零售；住宿服务；酒类经营。（依法须经批准的项目，经相关部门批准后方可开展经营活动，"
    "具体经营项目以审批结果为准）一般项目：信息技术咨询服务；软件开发；数据处理和存储支持服务；"
    "互联网销售（除销售需要许可的商品）；日用百货销售；茶具销售；工艺美术品及礼仪用品销售；"
    "会议及展览服务；企业管理咨询；组织文化艺术交流活动；广告制作、发布；包装服务；"
)
BUSINESS_FACE = {
    "uscc": "91320102MA9K00028Q",
    "duplicate_no": "1-1",
    "name": "金陵云栖茶点有限公司",
    "entity_type": "有限责任公司（自然人投资或控股）",
    "legal_representative": "林一舟",
    "registered_capital": "壹佰万元整",
    "establishment_date": "2026-11-20",
    "domicile": "金陵市云栖区梧桐路18号2幢101室",
    "business_scope": (
        "餐饮服务；食品销售；日用百货销售；企业管理咨询；会议及展览服务；茶具销售。"
        "（依法须经批准的项目，经相关部门批准后方可开展经营活动）"
    ),
}
FOOD_FACE = {
    "licence_no": "JY23201020010244",
    "operator_name": "金陵云栖茶点有限公司",
    "operator_code": "91320102MA9K00028Q",
    "legal_representative": "林一舟",
    "domicile": "金陵市云栖区梧桐路18号2幢101室",
    "business_premises": "金陵市云栖区梧桐路18号2幢101室",
    "business_form": "餐饮服务经营者（含网络经营）",
    "business_items": (
        "热食类食品制售；冷食类食品制售；自制饮品制售；预包装食品（含冷藏冷冻食品）销售"
    ),
    "supervising_body": "云栖区市场监督管理局",
}
FACES = {BUSINESS: BUSINESS_FACE, FOOD: FOOD_FACE}
METADATA = {
    "CertificateIdentifier": (
        "1.2.156.3005.2.11100000MB0143028R001.11320102MB9K00021D.2026NJ00000001.001.E"
    ),
    "CertificateName": "营业执照",
    "CertificateNumber": "91320102MA9K00028Q",
    "CertificateIssuingAuthorityName": "金陵市云栖区行政审批局",
    "CertificateIssuingAuthorityCode": "11320102MB9K00021D",
    "CertificateIssuedDate": "2026-11-24",
    "CertificateExpiringDate": "2031-11-23",
    "LicenceDataDigest": "00" * 32,
}
EXTREME_NAME = (
    "金陵市云栖区跨境电子商务综合试验区供应链管理与冷链物流仓储配送服务（集团）"
    "股份有限公司第一分公司云栖路门市部及展销中心旗舰店"
)[:60]
EXTREMES = {
    "name": EXTREME_NAME,
    "entity_type": "股份有限公司分公司(非上市、自然人投资或控股)",
    "legal_representative": "买买提·阿不都热依木·吐尔逊",
    "registered_capital": "人民币壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元整",
    "domicile": (
        "江苏省金陵市云栖区梧桐路18号云栖国际科技创新中心2幢裙楼第101室至第118室"
        "以及3幢地下一层B区第12号（集群登记）"
    ),
    "business_scope": (LONG_SCOPE * 4)[:600],
}
RARE = {"name": "西安𰻞𰻞面馆（𠮷𡈼𬱖）", "legal_representative": "王𬱖"}


@cache
def renderer() -> FaceRenderer:
    """Return one renderer for all tests of a process."""
    return FaceRenderer(templates=TEMPLATES, fonts=FONTS)


def template(code: str = BUSINESS) -> LicenceTemplate:
    """Return a template."""
    return renderer().templates[code]


def make_face(
    code: str = BUSINESS,
    *,
    changes: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    is_test: bool = True,
    qr_link: str = QR_LINK,
) -> FaceInput:
    """Make the input of a face."""
    return FaceInput(
        face_data={**FACES[code], **(changes or {})},
        metadata={**METADATA, **(metadata or {})},
        qr_link=qr_link,
        is_test=is_test,
        doc_id="0123456789abcdef" * 2,
        rendered_at=RENDERED_AT,
    )
