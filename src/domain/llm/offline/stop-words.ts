/** The words that say nothing about a text's subject: English, German, French, Spanish, Italian, Portuguese, Dutch; chosen by hand, short on purpose. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  [
    'a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it its just may more most my no not now of on one or our out over said she should so some such than that the their them then there these they this to up us was we were what when which who will with would you your about after all also any because being between both during each few here him me only other own same through too under until very where while why new',
    'der die das den dem des ein eine einer einen einem eines und oder aber ist sind war waren wird werden wurde wurden hat haben hatte mit von vom zu zum zur auf aus bei für im in an am als auch nach nicht noch nur sich sie er es ich wir ihr man wie wenn dass über um durch vor so sein seine ihre kann mehr bis dieser diese dieses',
    'le la les un une des du de et ou mais est sont était été être a ont avait avec pour par sur dans en au aux ce cet cette ces se sa son ses il elle ils elles on nous vous je ne pas plus que qui quoi dont où comme leur leurs si tout tous',
    'el la los las un una unos unas y o pero es son era fue ser ha han había con por para sobre en de del al lo le les se su sus este esta estos estas ese esa que quien como más no sí ya muy también entre cuando',
    'il lo la i gli le un uno una e o ma è sono era stato essere ha hanno aveva con per su in di del della dei delle al alla da dal che chi come più non si suo sua loro questo questa anche nel nella',
    'o a os as um uma e ou mas é são era foi ser tem têm com por para em de do da dos das no na ao que quem como mais não se seu sua este esta também pelo pela',
    'de het een en of maar is zijn was waren wordt worden heeft hebben met van voor op in aan te bij uit om als ook niet nog dan dat die dit er ze hij zij wij ik je naar door over',
  ].flatMap((line) => line.split(' ')),
);
