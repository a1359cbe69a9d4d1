def lambda_handler(event, context):
    # event: イベントデータ
    # context: 実行環境の情報
    return {
        'statusCode': 200,
        'body': 'Hello World'
    }
