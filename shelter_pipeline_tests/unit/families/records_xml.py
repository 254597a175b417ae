"""Metadata records as NCEI, USGS and ArcGIS write them, shortened (our own re-creations)."""

from __future__ import annotations

ISO = """<?xml version="1.0" encoding="UTF-8"?>
<gmi:MI_Metadata xmlns:gmi="http://www.isotc211.org/2005/gmi" xmlns:gmd="http://www.isotc211.org/2005/gmd"
  xmlns:gco="http://www.isotc211.org/2005/gco" xmlns:xlink="http://www.w3.org/1999/xlink">
 <gmd:fileIdentifier><gco:CharacterString>gov.noaa.ncdc:C00516</gco:CharacterString></gmd:fileIdentifier>
 <gmd:contact><gmd:CI_ResponsibleParty><gmd:contactInfo><gmd:CI_Contact><gmd:onlineResource><gmd:CI_OnlineResource>
  <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/contact.csv</gmd:URL></gmd:linkage>
 </gmd:CI_OnlineResource></gmd:onlineResource></gmd:CI_Contact></gmd:contactInfo></gmd:CI_ResponsibleParty></gmd:contact>
 <gmd:identificationInfo><gmd:MD_DataIdentification><gmd:citation><gmd:CI_Citation><gmd:citedResponsibleParty>
  <gmd:CI_OnlineResource><gmd:linkage><gmd:URL>https://other.example.gov/cited.csv</gmd:URL></gmd:linkage></gmd:CI_OnlineResource>
 </gmd:citedResponsibleParty></gmd:CI_Citation></gmd:citation></gmd:MD_DataIdentification></gmd:identificationInfo>
 <gmd:distributionInfo><gmd:MD_Distribution><gmd:distributor><gmd:MD_Distributor>
  <gmd:distributorContact><gmd:CI_ResponsibleParty><gmd:contactInfo><gmd:CI_Contact><gmd:onlineResource><gmd:CI_OnlineResource>
   <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/people.zip</gmd:URL></gmd:linkage>
   <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="download">download</gmd:CI_OnLineFunctionCode></gmd:function>
  </gmd:CI_OnlineResource></gmd:onlineResource></gmd:CI_Contact></gmd:contactInfo></gmd:CI_ResponsibleParty></gmd:distributorContact>
  <gmd:distributorTransferOptions><gmd:MD_DigitalTransferOptions>
   <gmd:transferSize><gco:Real>120</gco:Real></gmd:transferSize>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/data/global-summary-of-the-day/access</gmd:URL></gmd:linkage>
    <gmd:protocol><gco:CharacterString>HTTPS</gco:CharacterString></gmd:protocol>
    <gmd:name><gco:CharacterString>Bulk download</gco:CharacterString></gmd:name>
    <gmd:description><gco:CharacterString>All years</gco:CharacterString></gmd:description>
    <gmd:function><gmd:CI_OnLineFunctionCode codeList="http://x/gmxCodelists.xml#CI_OnLineFunctionCode"
      codeListValue="download">download</gmd:CI_OnLineFunctionCode></gmd:function>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL> https://www.ncei.noaa.gov/archive/accession/download/0150968 </gmd:URL></gmd:linkage>
    <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="download"/></gmd:function>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>ftp://ftp.ncdc.noaa.gov/pub/data/gsod</gmd:URL></gmd:linkage>
    <gmd:protocol><gco:CharacterString>FTP</gco:CharacterString></gmd:protocol>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/thredds/dodsC/gsod/gsod.nc</gmd:URL></gmd:linkage>
    <gmd:protocol><gco:CharacterString>OPeNDAP:OPeNDAP</gco:CharacterString></gmd:protocol>
    <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="information"/></gmd:function>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/cdo/search</gmd:URL></gmd:linkage>
    <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="search"/></gmd:function>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/docs/readme.txt</gmd:URL></gmd:linkage>
    <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="information"/></gmd:function>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>https://www.ncei.noaa.gov/files/stations list.csv</gmd:URL></gmd:linkage>
   </gmd:CI_OnlineResource></gmd:onLine>
   <gmd:onLine><gmd:CI_OnlineResource>
    <gmd:linkage><gmd:URL>javascript:alert(1)</gmd:URL></gmd:linkage>
    <gmd:name><gco:CharacterString>A trick</gco:CharacterString></gmd:name>
    <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="download"/></gmd:function>
   </gmd:CI_OnlineResource></gmd:onLine>
  </gmd:MD_DigitalTransferOptions></gmd:distributorTransferOptions></gmd:MD_Distributor></gmd:distributor>
 </gmd:MD_Distribution></gmd:distributionInfo>
</gmi:MI_Metadata>"""

ISO_3 = """<mdb:MD_Metadata xmlns:mdb="http://standards.iso.org/iso/19115/-3/mdb/2.0"
  xmlns:mrd="http://standards.iso.org/iso/19115/-3/mrd/1.0" xmlns:cit="http://standards.iso.org/iso/19115/-3/cit/2.0"
  xmlns:gco="http://standards.iso.org/iso/19115/-3/gco/1.0">
 <mdb:distributionInfo><mrd:MD_Distribution><mrd:transferOptions><mrd:MD_DigitalTransferOptions><mrd:onLine>
  <cit:CI_OnlineResource>
   <cit:linkage><gco:CharacterString>https://data.example.gov/tides.nc</gco:CharacterString></cit:linkage>
   <cit:name><gco:CharacterString>Tides</gco:CharacterString></cit:name>
   <cit:function><cit:CI_OnLineFunctionCode codeListValue="download"/></cit:function>
  </cit:CI_OnlineResource></mrd:onLine></mrd:MD_DigitalTransferOptions></mrd:transferOptions></mrd:MD_Distribution>
 </mdb:distributionInfo></mdb:MD_Metadata>"""

FGDC = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE metadata SYSTEM "http://www.fgdc.gov/metadata/fgdc-std-001-1998.dtd">
<metadata>
 <idinfo><citation><citeinfo><origin>U.S. Geological Survey</origin><title>Grond\xe9 streams</title>
   <onlink>https://doi.org/10.5066/P9CSM0KN</onlink>
   <lworkcit><citeinfo><onlink>https://pubs.example.gov/larger.zip</onlink></citeinfo></lworkcit></citeinfo></citation>
  <crossref><citeinfo><onlink>https://other.example.gov/cross.zip</onlink></citeinfo></crossref></idinfo>
 <distinfo><distrib><cntinfo/></distrib><stdorder><digform><digtinfo><formname>Shapefile</formname><transize>3.2</transize></digtinfo>
  <digtopt><onlinopt><computer><networka><networkr>https://water.example.gov/gis/streams.zip</networkr></networka></computer>
  <computer><networka><networkr>www.example.gov/gis/</networkr></networka></computer></onlinopt></digtopt></digform></stdorder></distinfo>
</metadata>""".encode("latin-1")

ESRI = """<metadata xml:lang="en"><Esri><ArcGISFormat>1.0</ArcGISFormat></Esri>
 <distInfo><distributor><distorTran><onLineSrc><linkage>https://data.example.gov/roads.gdb.zip</linkage>
 <orName>Roads</orName><orFunct><OnFunctCd value="001"/></orFunct></onLineSrc>
 <onLineSrc><linkage>https://data.example.gov/about</linkage><orFunct><OnFunctCd value="002"/></orFunct></onLineSrc>
 </distorTran></distributor></distInfo></metadata>"""
