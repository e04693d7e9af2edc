"""Agencies, outlets and people as they stand in credits and bylines: parts of regular expressions."""

from __future__ import annotations

from services.normalizer.letters import UPPER

TOKEN = rf"[{UPPER}][\w.’'&+-]*"
NAME = rf"{TOKEN}(?: {TOKEN}){{0,3}}"
AGENCIES = (
    r"AFP|AP Photo|AP Images|AP|EPA-EFE|EPA|EFE|Reuters|REUTERS|Getty Images|Getty|Xinhua|Tân Hoa Xã"
    r"|THX|TASS|TTXVN|Sputnik|RIA Novosti|RIA|Ukrinform|UPI|Anadolu Agency|Anadolu|Bloomberg|CNN|BBC"
    r"|CNBC|NBC News|NBC|ABC News|ABC|CBS|Fox News|Kyodo|Yonhap|KCNA|Rodong Sinmun|IRNA|Tasnim News"
    r"|SANA|Al Jazeera|RT|Nikkei|SCMP|VCG|Sina|Weibo|Daily Mail|Dailymail|The Sun|Sun|Mirror"
    r"|The Guardian|Guardian|Telegraph|Independent|New York Times|Washington Post|Business Insider"
    r"|USA Today|White House|Google Maps|Google|Wikipedia|Wikimedia Commons|Flickr|Twitter|Facebook"
    r"|Instagram|YouTube|Youtube|FBNV|NVCC|BVCC|CTV|PV|VGP|VPQH|QPVN|CAND|QĐND|VietnamPlus|Vietnam\+"
    r"|VnExpress|VNE|Zing|Znews|Tuổi Trẻ|TTO|Thanh Niên|Dân trí|Dân Trí|Dân Việt|VietNamNet|Vietnamnet"
    r"|VNN|Tiền Phong|Lao Động|Người Lao Động|NLĐO|VOV|VTV|VTC News|VTC|SGGP|Zalo|Internet|internet"
    r"|INTERNET|US Air Force|US Navy|US Army|USAF"
)
AGENCY = rf"(?:{AGENCIES}|[\w-]+\.(?:com|net|org|vn)(?:\.vn)?)(?: Online)?"
